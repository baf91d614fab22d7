// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of a YAML file: is it one, and where in it is what. */
#include "yaml.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "yaml_internal.h"

const char *yaml_path(const struct yaml *y)
{
	return y->path;
}

struct yaml_node *yaml_root(struct yaml *y)
{
	return y->root;
}

struct mark yaml_mark(struct yaml *y, const struct yaml_node *n)
{
	return (struct mark){ .file = y->path, .line = n->line, .column = n->column };
}

bool yaml_is_null(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && n->plain && (!n->text[0] || !strcmp(n->text, "~") || !strcmp(n->text, "null"));
}

struct yaml_node *yaml_get(const struct yaml_node *n, const char *key)
{
	for (size_t i = 0; n && n->kind == YAML_MAPPING && i < n->count; i++)
		if (!strcmp(n->keys[i]->text, key))
			return n->items[i];
	return NULL;
}

/* Without its end. */
static size_t line_length(const struct yaml *y, unsigned line)
{
	size_t length = y->lines[line] - y->lines[line - 1];
	const char *s = y->text + y->lines[line - 1];

	while (length && (s[length - 1] == '\n' || s[length - 1] == '\r'))
		length--;
	return length;
}

const char *yaml_line(struct yaml *y, unsigned line)
{
	size_t length;

	if (!line || line > y->line_count)
		return "";
	length = line_length(y, line);
	free(y->excerpt);
	y->excerpt = malloc(length + 1);
	if (!y->excerpt)
		return "";
	memcpy(y->excerpt, y->text + y->lines[line - 1], length);
	y->excerpt[length] = 0;
	return y->excerpt;
}

static const char *lend(void *context, const char *file, unsigned line)
{
	struct yaml *y = context;

	return file && !strcmp(file, y->path) ? yaml_line(y, line) : NULL;
}

void yaml_lend_lines(struct yaml *y, struct problems *problems)
{
	problems_lines(problems, lend, y);
}

static unsigned characters(const char *text, size_t length)
{
	unsigned count = 0;

	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

struct mark yaml_mark_at(struct yaml *y, size_t position)
{
	unsigned low = 1, high = y->line_count;

	if (position > y->length)
		position = y->length;
	while (low < high) {
		unsigned middle = low + (high - low + 1) / 2;

		if (y->lines[middle - 1] <= position)
			low = middle;
		else
			high = middle - 1;
	}
	return (struct mark){ .file = y->path,
			      .line = low,
			      .column = characters(y->text + y->lines[low - 1], position - y->lines[low - 1]) + 1 };
}

/* Where a character of a line is, in bytes. */
static const char *at_column(struct yaml *y, unsigned line, unsigned column)
{
	const char *s = y->text + y->lines[line - 1], *end = s + line_length(y, line);

	while (s < end && column > 1) {
		do
			s++;
		while (s < end && ((unsigned char)*s & 0xc0) == 0x80);
		column--;
	}
	return s;
}

struct mark yaml_mark_in(struct yaml *y, const struct yaml_node *n, size_t column)
{
	struct mark mark = yaml_mark(y, n);
	size_t length = strlen(n->text);
	const char *s;

	if (!n->line || !column || column > length + 1 || strchr(n->text, '\n'))
		return mark;
	s = at_column(y, n->line, n->column);
	if (!n->plain && (*s == '"' || *s == '\'') && n->text[0] != *s) {
		s++;
		mark.column++;
	}
	if ((size_t)(y->text + y->length - s) >= length && !memcmp(s, n->text, length))
		mark.column += characters(n->text, column - 1);
	return mark;
}

/* Does a line end in the indicator of a literal block ("host: |-  # why")? */
static bool begins_block(const char *line)
{
	const char *end = strstr(line, " #");

	end = end ? end : line + strlen(line);
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	while (end > line && strchr("+-123456789", end[-1]))
		end--;
	return end > line && end[-1] == '|';
}

bool yaml_mark_block(struct yaml *y, const char *text, struct mark *mark)
{
	unsigned line = mark->line;
	size_t indented, own;

	/* The mark is of the line below the indicator. */
	if (mark->column != 1 || line < 2 || !begins_block(yaml_line(y, line - 1)))
		return false;
	for (; *text == '\n'; text++)
		line++;
	own = strspn(text, " ");
	indented = strspn(yaml_line(y, line), " ");
	if (indented < own)
		return false;
	mark->column = (unsigned)(indented - own) + 1;
	return true;
}

void yaml_fail(struct yaml *y, struct mark mark, const char *text)
{
	problems_add(y->problems, mark, mark.line ? yaml_line(y, mark.line) : NULL, "%s", text);
	y->failed = true;
}

int yaml_no_memory(struct yaml *y)
{
	yaml_fail(y, (struct mark){ .file = y->path }, strerror(ENOMEM));
	return -ENOMEM;
}

static bool split(struct yaml *y)
{
	size_t count = 1;

	for (size_t i = 0; i < y->length; i++)
		count += y->text[i] == '\n';
	y->lines = calloc(count + 1, sizeof(*y->lines));
	if (!y->lines)
		return false;
	for (size_t i = 0; i < y->length; i++)
		if (y->text[i] == '\n')
			y->lines[++y->line_count] = i + 1;
	y->line_count++;
	y->lines[y->line_count] = y->length;
	return true;
}

/* The length of the character at s, 0 if it is none that a text has. */
static size_t text_character(const unsigned char *s, size_t left)
{
	size_t length = s[0] < 0x80                   ? 1
			: s[0] >= 0xc2 && s[0] < 0xe0 ? 2
			: (s[0] & 0xf0) == 0xe0       ? 3
			: s[0] >= 0xf0 && s[0] < 0xf5 ? 4
						      : 0;

	if (!length || length > left)
		return 0;
	if (length == 1)
		return (s[0] >= ' ' && s[0] != 0x7f) || s[0] == '\t' || s[0] == '\n' || s[0] == '\r';
	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	if ((s[0] == 0xc2 && s[1] < 0xa0 && s[1] != 0x85) || (s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe))
		return 0;
	return length;
}

static bool is_text(struct yaml *y)
{
	size_t length;

	for (size_t i = 0; i < y->length; i += length) {
		struct mark mark;

		length = text_character((const unsigned char *)y->text + i, y->length - i);
		if (length)
			continue;
		mark = yaml_mark_at(y, i);
		problems_add(y->problems, mark, NULL, "no text: byte 0x%02x is neither UTF-8 nor a character of YAML",
			     (unsigned char)y->text[i]);
		y->failed = true;
		return false;
	}
	return true;
}

/* text is taken over. */
static struct yaml *parse(const char *name, char *text, size_t length, struct problems *problems)
{
	struct yaml *y = calloc(1, sizeof(*y));
	size_t mark = length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;

	if (!y) {
		free(text);
		problems_add(problems, (struct mark){ .file = name }, NULL, "%s", strerror(ENOMEM));
		return NULL;
	}
	memmove(text, text + mark, length - mark);
	y->text = text;
	y->length = length - mark;
	text[y->length] = 0;
	y->problems = problems;
	y->path = strdup(name);
	if (!y->path || !split(y)) {
		yaml_no_memory(y);
	} else if (y->length > YAML_BYTES) {
		yaml_fail(y, (struct mark){ .file = y->path }, "above 1 MiB: no file of this kind is that long");
	} else if (is_text(y)) {
		yaml_build(y);
		if (!y->failed && (!y->root || yaml_is_null(y->root)))
			yaml_fail(y, (struct mark){ .file = y->path }, "the file is empty");
	}
	y->problems = NULL;
	if (!y->failed)
		return y;
	yaml_close(y);
	return NULL;
}

struct yaml *yaml_parse(const char *name, const char *text, size_t length, struct problems *problems)
{
	char *copy = malloc(length + 1);

	if (!copy) {
		problems_add(problems, (struct mark){ .file = name }, NULL, "%s", strerror(ENOMEM));
		return NULL;
	}
	if (length)
		memcpy(copy, text, length);
	return parse(name, copy, length, problems);
}

static int read_file(int fd, char *text, size_t *length)
{
	while (*length <= YAML_BYTES) {
		ssize_t n = read(fd, text + *length, YAML_BYTES + 1 - *length);

		if (n < 0)
			return -errno;
		if (!n)
			return 0;
		*length += (size_t)n;
	}
	return 0;
}

struct yaml *yaml_open(const char *path, struct problems *problems)
{
	struct mark mark = { .file = path };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r;
	struct stat st;
	size_t length = 0;
	char *text;

	if (fd < 0 || fstat(fd, &st)) {
		problems_add(problems, mark, NULL, "cannot open it: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		problems_add(problems, mark, NULL, "%s",
			     S_ISDIR(st.st_mode) ? "a folder, not a file" : "no regular file");
		close(fd);
		return NULL;
	}
	text = malloc(YAML_BYTES + 2);
	r = text ? read_file(fd, text, &length) : -ENOMEM;
	close(fd);
	if (r) {
		problems_add(problems, mark, NULL, "cannot read it: %s", strerror(-r));
		free(text);
		return NULL;
	}
	return parse(path, text, length, problems);
}

void yaml_close(struct yaml *y)
{
	if (!y)
		return;
	yaml_free_tree(y);
	free(y->lines);
	free(y->excerpt);
	free(y->path);
	free(y->text);
	free(y);
}
