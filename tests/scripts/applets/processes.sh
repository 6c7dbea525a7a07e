# ps top kill pidof timeout sleep usleep.
sleep 77 & a=$!; until ps | grep -q '[s]leep 77'; do :; done; ps | grep -c '[s]leep 77'; ps -o pid,args | grep '[s]leep 77' | grep -c "$a"; pidof nosuchprogram; echo $?; top -b -n1 | grep -c '^Mem:'; top -b -n 1 | grep -c '^CPU:'; top -b -n1 | grep '[s]leep 77' | wc -l
{ kill $a; wait $a; } 2>/dev/null; echo $?; { sleep 78 & kill -9 $!; wait $!; } 2>/dev/null; echo $?; kill -l | wc -l; kill -l TERM; kill 99999999; echo $?; timeout 0.1 sleep 3; echo $?; timeout 3 echo in time; usleep 10; echo $?; sleep x; echo $?; sleep 0
ps | head -n 1 | awk '{print $1}'; ps -o pid,ppid,comm | head -n 1; ps -T >/dev/null; echo $?
