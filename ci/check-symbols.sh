#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# libcore.a is pure: it may call nothing but itself, memory and strings. Usage: check-symbols.sh LIBCORE
set -eu
allowed='
malloc calloc realloc free
memcpy memmove memset memcmp memchr
strlen strcmp strncmp strchr strrchr strcpy strdup strspn strcspn
snprintf vsnprintf
__assert_fail __stack_chk_fail
__memcpy_chk __memmove_chk __memset_chk __snprintf_chk __vsnprintf_chk __strcpy_chk __ctype_b_loc __ctype_toupper_loc
_GLOBAL_OFFSET_TABLE_
'
allowed=$(printf '%s' "$allowed" | tr '\n' ' ')
# Apart from the filters, so that a failing nm is not taken for an empty list.
undefined=$(nm -u "$1")
defined=$(nm --defined-only "$1")
found=$(printf '%s\n' "$undefined" | sed -n 's/^ *U //p' | sort -u)
own=$(printf '%s\n' "$defined" | sed -n 's/^[0-9a-f]* [A-Z] //p' | tr '\n' ' ')
[ -n "$own" ] || { echo "$1 defines nothing" && exit 1; }
status=0
for symbol in $found; do
  case " $own $allowed " in
  *" $symbol "*) ;;
  *)
    echo "$1 uses $symbol, which is not on the list of ci/check-symbols.sh"
    status=1
    ;;
  esac
done
exit $status
