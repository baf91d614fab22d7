// SPDX-License-Identifier: GPL-2.0-or-later
/* What `dfuhil run` calls that is not in this tree yet: weak, so that the real thing takes its place. */
#include <stdio.h>
#include <stdlib.h>
#include "play.h"
#include "report.h"
#define WEAK __attribute__((weak))
struct problems {
	size_t count;
};
WEAK struct problems *problems_new(void)
{
	return calloc(1, sizeof(struct problems));
}
WEAK void problems_free(struct problems *p)
{
	free(p);
}
WEAK void problems_add(struct problems *p, struct mark m, const char *e, const char *f, ...)
{
	(void)m;
	(void)e;
	(void)f;
	p->count++;
}
WEAK size_t problems_count(const struct problems *p)
{
	return p->count;
}
WEAK void problems_print(const struct problems *p, FILE *f, bool c)
{
	(void)p;
	(void)c;
	fputs("mistakes\n", f);
}
WEAK bool scenario_find(const char *p, bool (*found)(void *, const char *), void *c, struct problems *q)
{
	(void)q;
	return found(c, p);
}
WEAK struct scenario *scenario_load(const char *p, struct problems *q)
{
	(void)p;
	problems_add(q, (struct mark){ 0 }, NULL, "x");
	return NULL;
}
WEAK void scenario_free(struct scenario *s)
{
	(void)s;
}
WEAK bool scenario_has_tag(const struct scenario *s, const char *t)
{
	(void)s;
	(void)t;
	return true;
}
WEAK struct tool *tool_load(const char *n, const char *f, struct problems *p)
{
	(void)n;
	(void)f;
	(void)p;
	return NULL;
}
WEAK void tool_free(struct tool *t)
{
	(void)t;
}
WEAK struct rig_choice *rig_choose(const char *t, struct problems *p)
{
	(void)t;
	(void)p;
	return NULL;
}
WEAK void rig_choice_free(struct rig_choice *r)
{
	(void)r;
}
WEAK unsigned rig_choice_can(const struct rig_choice *r)
{
	(void)r;
	return ~0u;
}
WEAK const char *rig_choice_name(const struct rig_choice *r)
{
	(void)r;
	return "emulated";
}
WEAK struct result *play_scenario(const struct play_options *o)
{
	(void)o;
	return NULL;
}
WEAK const char *play_obstacle(const struct play_options *o, char why[RIG_WHY])
{
	(void)o;
	(void)why;
	return "the player is not in this build";
}
WEAK struct report *report_html_new(const char *p)
{
	return report_json_new(p);
}
