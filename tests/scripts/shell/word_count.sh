# A program of the kind people write: counts words.
cat >text <<END
the quick brown fox jumps over the lazy dog
the dog sleeps and the fox runs
END
tr -s ' ' '\n' <text | sort | uniq -c | sort -k1,1nr -k2 | sed 's/^ *//' | head -n 4
words=0; while read -r line; do set -- $line; words=$((words + $#)); done <text; echo "$words words"
longest=; for w in $(cat text); do [ ${#w} -gt ${#longest} ] && longest=$w; done; echo "longest: $longest"
rev=; for w in $(head -n 1 text); do rev="$w $rev"; done; echo "$rev"
grep -o 'the' text | wc -l | tr -d ' '
