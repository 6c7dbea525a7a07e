# ps, pidof and who is there.
env sleep 33 & p=$!; sleep 0.2
ps -o pid,comm 2>/dev/null | grep -c "^ *$p *sleep"
kill -0 $p && echo alive; kill $p; wait $p 2>/dev/null
cat /proc/$$/stat | cut -d ' ' -f 1 | grep -c "^$$\$"
ls -d /proc/[0-9]* | wc -l | grep -c '^ *[1-9]'
