# /dev.
echo lost >/dev/null; cat /dev/null; echo "null $?"
head -c 4 /dev/zero | od -An -tx1 | tr -d ' '
head -c 100 /dev/urandom | wc -c | tr -d ' '; head -c 10 /dev/random | wc -c | tr -d ' '
a=$(head -c 16 /dev/urandom | od -An -tx1); b=$(head -c 16 /dev/urandom | od -An -tx1); [ "$a" != "$b" ] && echo random
echo x >/dev/full 2>/dev/null || echo "full: $?"
echo a line | cat /dev/stdin; echo out >/dev/stdout; echo err 2>/dev/null >/dev/stderr
echo fd | cat /dev/fd/0; test -c /dev/null && test -c /dev/zero && test -c /dev/tty && echo devices
head -c 3 /dev/full | od -An -tx1 | tr -d ' '
dd if=/dev/zero bs=4096 count=10 2>/dev/null | wc -c | tr -d ' '
