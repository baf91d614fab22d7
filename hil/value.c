// SPDX-License-Identifier: GPL-2.0-or-later
/* Values that were read by a schema: looking them up, and freeing them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "value.h"

const struct value *object_value(const struct object *o, const char *name)
{
	for (unsigned i = 0; o->fields[i].type != FIELD_END; i++)
		if (!strcmp(o->fields[i].name, name))
			return &o->values[i];
	assert(!"a field of that name is in the table");
	return NULL;
}

bool object_given(const struct object *o, const char *field)
{
	return o && object_value(o, field)->given;
}

const char *object_text(const struct object *o, const char *field, const char *otherwise)
{
	return object_given(o, field) ? object_value(o, field)->text : otherwise;
}

uint64_t object_number(const struct object *o, const char *field, uint64_t otherwise)
{
	return object_given(o, field) ? object_value(o, field)->number : otherwise;
}

bool object_flag(const struct object *o, const char *field, bool otherwise)
{
	return object_given(o, field) ? object_value(o, field)->flag : otherwise;
}

static void value_clear(struct value *v)
{
	free(v->key);
	free(v->text);
	free(v->bytes);
	object_free(v->object);
	for (size_t i = 0; i < v->count; i++)
		value_clear(&v->list[i]);
	free(v->list);
}

void object_free(struct object *o)
{
	if (!o)
		return;
	for (unsigned i = 0; o->values && o->fields[i].type != FIELD_END; i++)
		value_clear(&o->values[i]);
	free(o->values);
	free(o);
}
