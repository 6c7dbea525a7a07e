# Traps: on EXIT, on signals, ignored, reset, in subshells.
(trap 'echo leaving' EXIT; echo body)
(trap 'echo leaving with $?' EXIT; exit 4); echo "status $?"
sh=$$
trap 'echo got USR1' USR1; kill -USR1 $$; echo after
trap 'echo got TERM' TERM; kill $$; echo still alive
trap '' INT; kill -INT $$; echo ignored
trap - USR1 INT TERM
(trap 'echo in subshell' TERM; kill -TERM $(exec sh -c 'echo $PPID'); echo next)
(trap 'echo both $?' EXIT; trap 'echo hup; exit 1' HUP; kill -HUP $(exec sh -c 'echo $PPID'); sleep 5); echo "status $?"
trap 'echo first' USR2; trap 'echo second' USR2; kill -USR2 $$
(kill -USR2 $(exec sh -c 'echo $PPID'); echo not here) 2>/dev/null; echo "killed: $?"
f() { trap 'echo exit of f' EXIT; echo in f; }
(f; echo after f)
trap 'echo the end' EXIT
exit 6
