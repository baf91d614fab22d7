// SPDX-License-Identifier: GPL-2.0-or-later
/* A gadget in configfs, and the folder of its mount. */
#include "configfs.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <usbg/function/serial.h>
#include <usbg/usbg.h>

#define CONFIGFS "/sys/kernel/config"
#define CONFIGFS_SUPER_MAGIC 0x62656570 /* CONFIGFS_MAGIC of configfs/mount.c */
#define RUN "/run"
#define PREFIX "dfuemu-"
#define FOLDER RUN "/dfuemu-gadget-"
#define LANGUAGE 0x0409 /* English (US) */

struct configfs {
	const struct front_env *env;
	const char *udc;
	usbg_state *state;
	char name[32];   /* of the gadget, and of its FunctionFS */
	char folder[48]; /* FOLDER and the process's number */
	char mounted[64];
	int lock;
	usbg_gadget *gadget; /* NULL: none made */
	usbg_function *function;
	bool bound, has_mount;
};

static void paths_of(int pid, char folder[48], char mounted[64], char lock[64])
{
	snprintf(folder, 48, FOLDER "%d", pid);
	snprintf(mounted, 64, "%s/ffs", folder);
	snprintf(lock, 64, "%s/lock", folder);
}

/* What crashed runs have left. */

static void remove_folder(const char *folder, const char *mounted, const char *lock)
{
	while (!umount2(mounted, MNT_DETACH))
		continue;
	rmdir(mounted);
	unlink(lock);
	rmdir(folder);
}

/* A run's folder that nobody holds any more. */
static bool is_stale(int pid)
{
	char folder[48], mounted[64], lock[64];
	bool stale;
	int fd;

	paths_of(pid, folder, mounted, lock);
	fd = open(lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	stale = !flock(fd, LOCK_EX | LOCK_NB);
	close(fd);
	return stale;
}

static void remove_stale(const struct configfs *t)
{
	char folder[48], mounted[64], lock[64], line[96];
	usbg_gadget *g, *next;
	glob_t found;
	int pid, end;

	for (g = usbg_get_first_gadget(t->state); g; g = next) {
		const char *name = usbg_get_gadget_name(g);

		next = usbg_get_next_gadget(g);
		end = 0;
		if (!name || sscanf(name, PREFIX "%d%n", &pid, &end) != 1 || name[end] || !is_stale(pid))
			continue;
		snprintf(line, sizeof(line), "gadget: removing '%.40s', which a run that crashed has left", name);
		t->env->note(t->env->context, line);
		paths_of(pid, folder, mounted, lock);
		usbg_disable_gadget(g);
		umount2(mounted, MNT_DETACH);
		usbg_rm_gadget(g, USBG_RM_RECURSE);
	}
	if (glob(FOLDER "*", GLOB_NOSORT, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		end = 0;
		if (sscanf(found.gl_pathv[i], FOLDER "%d%n", &pid, &end) != 1 || found.gl_pathv[i][end] ||
		    !is_stale(pid))
			continue;
		paths_of(pid, folder, mounted, lock);
		remove_folder(folder, mounted, lock);
	}
	globfree(&found);
}

static int make_folder(struct configfs *t, char why[FRONT_WHY])
{
	char lock[64];

	paths_of((int)getpid(), t->folder, t->mounted, lock);
	if ((mkdir(t->folder, 0700) && errno != EEXIST) || (mkdir(t->mounted, 0700) && errno != EEXIST)) {
		snprintf(why, FRONT_WHY, "cannot make '%s': %s", t->mounted, strerror(errno));
		return -EIO;
	}
	t->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (t->lock >= 0 && !flock(t->lock, LOCK_EX | LOCK_NB))
		return 0;
	snprintf(why, FRONT_WHY, "cannot lock '%s': %s", lock, strerror(errno));
	return -EIO;
}

/* Making and removing. */

static int failed(int r, const char *what, char why[FRONT_WHY])
{
	if (!r)
		return 0;
	snprintf(why, FRONT_WHY, "cannot make the gadget: %s: %s", what, usbg_strerror((usbg_error)r));
	return -EIO;
}

static int mount_ffs(struct configfs *t, char why[FRONT_WHY])
{
	if (mount(t->name, t->mounted, "functionfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0600")) {
		int r = -errno;

		snprintf(why, FRONT_WHY, "cannot mount FunctionFS: %s%s", strerror(-r),
			 r == -ENODEV ? " (is the module usb_f_fs there?)" : "");
		return r;
	}
	t->has_mount = true;
	return 0;
}

/* What libusbgx has no word for. */
static int limit_speed(const struct configfs *t, enum usb_speed speed, char why[FRONT_WHY])
{
	const char *word = speed == USB_SPEED_IS_LOW    ? "low-speed"
			   : speed == USB_SPEED_IS_FULL ? "full-speed"
							: "high-speed";
	char path[PATH_MAX];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/usb_gadget/%s/max_speed", CONFIGFS, t->name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0; /* before Linux 5.12; then the controller decides */
	if (fd >= 0)
		n = write(fd, word, strlen(word));
	if (n < 0)
		snprintf(why, FRONT_WHY, "cannot write '%s' to '%.200s': %s", word, path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return n < 0 ? -EIO : 0;
}

int configfs_make(struct configfs *t, enum configfs_function function, char why[FRONT_WHY])
{
	usbg_function_type type = function == CONFIGFS_FFS ? USBG_F_FFS : USBG_F_ACM;
	int r;

	r = failed(usbg_create_gadget(t->state, t->name, NULL, NULL, &t->gadget), t->name, why);
	if (r) {
		t->gadget = NULL;
		return r;
	}
	r = usbg_create_function(t->gadget, type, t->name, NULL, &t->function);
	if (r) {
		snprintf(why, FRONT_WHY, "cannot make the gadget: no function '%s' (is the module usb_f_%s there?): %s",
			 usbg_get_function_type_str(type), function == CONFIGFS_FFS ? "fs" : "acm",
			 usbg_strerror((usbg_error)r));
		r = -EIO;
	} else if (function == CONFIGFS_FFS) {
		r = mount_ffs(t, why);
	}
	if (r)
		configfs_remove(t);
	return r;
}

void configfs_remove(struct configfs *t)
{
	configfs_unbind(t);
	if (t->has_mount)
		umount2(t->mounted, MNT_DETACH);
	t->has_mount = false;
	if (t->gadget)
		usbg_rm_gadget(t->gadget, USBG_RM_RECURSE);
	t->gadget = NULL;
	t->function = NULL;
}

static unsigned le16(const uint8_t *b)
{
	return (unsigned)(b[0] | b[1] << 8);
}

int configfs_describe(struct configfs *t, const struct usb_description *d, char why[FRONT_WHY])
{
	const uint8_t *c = d->configurations[0].bytes, *b = d->device;
	char none[1] = "";
	struct usbg_gadget_attrs attrs = {
		.bcdUSB = (uint16_t)le16(b + 2), /* the kernel has its own mind about it */
		.bDeviceClass = b[4],
		.bDeviceSubClass = b[5],
		.bDeviceProtocol = b[6],
		.bMaxPacketSize0 = b[7],
		.idVendor = (uint16_t)le16(b + 8),
		.idProduct = (uint16_t)le16(b + 10),
		.bcdDevice = (uint16_t)le16(b + 12),
	};
	struct usbg_gadget_strs strings = {
		.manufacturer = d->manufacturer ? d->manufacturer : none,
		.product = d->product ? d->product : none,
		.serial = d->serial ? d->serial : none,
	};
	/* libusbgx has the file's unit here, mA. */
	struct usbg_config_attrs config_attrs = { .bmAttributes = c[7],
						  .bMaxPower = c[8] < 128 ? (uint8_t)(c[8] * 2) : 254 };
	usbg_config *config;
	int r;

	r = failed(usbg_set_gadget_attrs(t->gadget, &attrs), "identity", why);
	if (!r)
		r = failed(usbg_set_gadget_strs(t->gadget, LANGUAGE, &strings), "texts", why);
	if (!r)
		r = failed(usbg_create_config(t->gadget, c[5], "c", &config_attrs, NULL, &config), "configuration",
			   why);
	if (!r)
		r = failed(usbg_add_config_function(config, t->name, t->function), "function", why);
	return r ? r : limit_speed(t, d->speed, why);
}

int configfs_bind(struct configfs *t, char why[FRONT_WHY])
{
	usbg_udc *udc = usbg_get_udc(t->state, t->udc);
	int r = udc ? usbg_enable_gadget(t->gadget, udc) : USBG_ERROR_NO_DEV;

	t->bound = !r;
	if (!r)
		return 0;
	snprintf(why, FRONT_WHY, "controller '%.100s' does not take the gadget: %s", t->udc,
		 usbg_strerror((usbg_error)r));
	return -EIO;
}

void configfs_unbind(struct configfs *t)
{
	if (t->bound)
		usbg_disable_gadget(t->gadget);
	t->bound = false;
}

const char *configfs_mounted(const struct configfs *t)
{
	return t->mounted;
}

int configfs_acm_port(const struct configfs *t)
{
	int port, r = usbg_f_serial_get_port_num(usbg_to_serial_function(t->function), &port);

	return r ? -EIO : port;
}

/* From beginning to end. */

static int check_system(char why[FRONT_WHY])
{
	struct statfs fs;

	if (geteuid()) {
		snprintf(why, FRONT_WHY,
			 "serve gadget must be root, not user %u: it makes a gadget in configfs and mounts "
			 "FunctionFS",
			 (unsigned)geteuid());
		return -EPERM;
	}
	if (statfs(CONFIGFS, &fs) || fs.f_type != CONFIGFS_SUPER_MAGIC) {
		snprintf(why, FRONT_WHY,
			 "configfs is not mounted: mount -t configfs none " CONFIGFS
			 " (if there is no such folder: modprobe libcomposite first)");
		return -ENODEV;
	}
	if (access(CONFIGFS "/usb_gadget", F_OK)) {
		snprintf(why, FRONT_WHY,
			 "configfs has no gadgets: the module libcomposite is not loaded (modprobe "
			 "libcomposite)");
		return -ENODEV;
	}
	return 0;
}

struct configfs *configfs_new(const struct front_env *env, const char *udc, char why[FRONT_WHY])
{
	struct configfs *t;
	int r;

	if (check_system(why))
		return NULL;
	t = calloc(1, sizeof(*t));
	if (!t) {
		snprintf(why, FRONT_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	t->env = env;
	t->udc = udc;
	t->lock = -1;
	snprintf(t->name, sizeof(t->name), PREFIX "%d", (int)getpid());
	r = usbg_init(CONFIGFS, &t->state);
	if (r) {
		snprintf(why, FRONT_WHY, "libusbgx cannot read " CONFIGFS "/usb_gadget: %s%s",
			 usbg_strerror((usbg_error)r),
			 r == USBG_ERROR_NOT_SUPPORTED
				 ? ": another program's gadget there has a function that it does not know, as uvc"
				 : "");
		free(t);
		return NULL;
	}
	remove_stale(t);
	if (!make_folder(t, why))
		return t;
	configfs_free(t);
	return NULL;
}

void configfs_free(struct configfs *t)
{
	char folder[48], mounted[64], lock[64];

	if (!t)
		return;
	configfs_remove(t);
	usbg_cleanup(t->state);
	if (t->lock >= 0) {
		paths_of((int)getpid(), folder, mounted, lock);
		remove_folder(folder, mounted, lock);
		close(t->lock);
	}
	free(t);
}
