# Jobs of a shell without a terminal.
sleep 0.1 & sleep 0.2 & jobs | sed 's/ *$//'; wait; jobs; echo end
set -m; sleep 0.1 & wait %1; echo "status $?"; (sleep 20) & kill %1 2>/dev/null || kill $!; wait $! 2>/dev/null; echo "killed $?"; set +m
sleep 0.3 & a=$!; (exit 5) & wait -n; echo "first: $?"; wait $a; echo $?; { sleep 0.05; exit 3; } & wait -n; echo $?
coproc cat; echo through >&"${COPROC[1]}"; read -r l <&"${COPROC[0]}"; echo "$l"; exec {COPROC[1]}>&-; wait
