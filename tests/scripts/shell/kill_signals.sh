# kill: names, numbers, status, groups of children.
for s in HUP INT QUIT KILL USR1 USR2 PIPE ALRM TERM; do
    sh -c "kill -$s \$\$; echo not reached" 2>/dev/null
    echo "$s $?"
done 2>/dev/null
for s in CHLD WINCH URG CONT; do
    sh -c "kill -$s \$\$; echo reached"
    echo "$s $?"
done
kill -l 9; kill -l 15
kill -0 $$ && echo "I am here"
kill -TERM 99999999 2>/dev/null || echo "no such process"
