# Much data, through files and pipes.
seq 1 9000 >f; wc -l <f | tr -d ' '; md5sum <f; sha256sum <f
cat f f f | md5sum; sort -rn f | md5sum; tail -c 100 f | head -n 3; tr 0-9 a-j <f | cksum
dd if=f of=g bs=1777 2>/dev/null; cmp f g && echo same; split -l 4000 f part; ls part*; cat part* | cmp - f && echo joined
gzip -c f | gunzip | md5sum; od -An -tx1 f | tail -n 1; grep -c 7 f; tee h <f | wc -c | tr -d ' '; cmp f h && echo tee
head -c 70000 /dev/zero | tr '\0' 'x' >x; stat -c %s x; fold -w 1000 x | wc -l | tr -d ' '
