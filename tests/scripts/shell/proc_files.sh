# /proc, as scripts use it.
test -d /proc/$$ && echo "I am there"; test -d /proc/self && echo self
tr '\0' '|' </proc/self/cmdline; echo
cat /proc/self/comm; sh -c 'cat /proc/$PPID/comm >/dev/null' && echo "the parent's"
grep -c '^MemTotal:' /proc/meminfo; cut -d ' ' -f 1 /proc/uptime | grep -c '^[0-9.]*$'
grep '^PPid:' /proc/self/status | grep -c "$$"
cut -d ' ' -f 2 /proc/self/stat; test -s /proc/version && echo version
A=b sh -c 'cat /proc/self/environ | tr "\0" "\n"' | grep '^A='
(cd / && readlink /proc/self/cwd); grep -c processor /proc/cpuinfo | grep -c '^[0-9]*$'
ls /proc/self/fd >/dev/null && echo descriptors; test -e /proc/999999999 || echo "nobody"
echo x >f; exec 3<f; readlink /proc/$$/fd/3 | sed 's/.*\///'; cat /proc/self/fd/3
grep -c stack /proc/self/maps; head -n 1 /proc/mounts | wc -w | tr -d ' '
set -- $(cat /proc/loadavg); echo $#
