# if, &&, ||, and their like.
if true; then echo t; fi; if false; then echo t; elif true; then echo elif; else echo e; fi
true && echo and; false || echo or; false && echo no || echo fallback
if [ a = a ] && [ b = b ]; then echo both; fi; if ! false; then echo not; fi
{ true; false; } || echo group; (false) || echo subshell
true && { false || echo inner; } && echo outer
a=; [ -n "$a" ] || a=default; echo $a
if echo x | grep -q x; then echo piped condition; fi
while read l; do [ "$l" ] || break; echo "$l"; done <<END
a
b

c
END
: && echo colon; true || echo never; if :; then :; fi; echo $?
