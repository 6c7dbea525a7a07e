# sort, uniq, cut, tr, wc and comm's like.
printf 'pear\napple\nfig\napple\n' >f
sort f; sort -r f; sort -u f; sort f | uniq -c | sed 's/^ *//'
sort f | uniq -d; sort f | uniq -u
printf '10\n9\n100\n' | sort; printf '10\n9\n100\n' | sort -n
printf 'b 2\na 3\nc 1\n' | sort -k 2; printf 'b:2\na:10\n' | sort -t : -k 2 -n
cut -c 1-2 f; printf 'a:b:c\n' | cut -d : -f 1,3
echo hello | tr a-y b-z; echo aabbcc | tr -s a-c; echo a1b2 | tr -d 0-9; echo abc | tr -c b '\n'
wc -l <f | tr -d ' '; wc -w <f | tr -d ' '; wc -c <f | tr -d ' '
seq 1 5000 | sort -rn | head -n 1; seq 1 5000 | sort | tail -n 1
seq 10 | head -n 3; seq 10 | tail -n 3; seq 10 | tail -n +8; seq 10 | head -n -8
nl f 2>/dev/null | tr -s ' \t' ' '; rev f; tac f; fold -w 2 f | head -n 3
