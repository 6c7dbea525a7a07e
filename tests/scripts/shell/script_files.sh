# Scripts as programs: #!, sourcing, arguments, $0.
printf '#!/bin/sh\necho "script $0 $# $1"\n' >s; chmod +x s; ./s 'a b' c | sed 's/^script .*\/s/script s/'
printf '#! /bin/sh -e\nfalse\necho never\n' >e; chmod +x e; ./e; echo "status $?"
printf 'echo "no line"\n' >n; chmod +x n; ./n
printf 'x=sourced; set -- z\n' >inc; . ./inc; echo $x
printf 'return 5\n' >ret; . ./ret; echo $?
printf '#!/no/such/interpreter\n' >bad; chmod +x bad; ./bad 2>/dev/null; echo "status $?"
printf 'echo $1\n' | sh -s argument; echo 'echo piped script' | sh
sh -c 'echo "$@"' x 1 2 3; sh -n s && echo "syntax is good"; echo 'if' | sh 2>/dev/null; echo "syntax error: $(($? != 0))"
eval 'echo evaluated; false'; echo $?; command echo command; type cd >/dev/null && echo "cd is known"; command -v sh >/dev/null && echo found
alias x=echo 2>/dev/null; unalias x 2>/dev/null; hash -r 2>/dev/null; echo end
