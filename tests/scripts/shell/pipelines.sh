# Pipelines: order, status, long ones, big data.
echo one | cat
printf 'c\na\nb\n' | sort | head -n 2 | tail -n 1
true | false; echo "last fails: $?"
false | true; echo "last succeeds: $?"
! true; echo "negated: $?"
! false | false; echo "negated pipeline: $?"
echo deep | cat | cat | cat | cat | cat | cat | cat | cat
seq 1 20000 | wc -l
seq 1 20000 | tail -n 1
{ echo a; echo b; } | while read -r line; do echo "<$line>"; done
echo x | (cat; echo in subshell)
yes | head -n 3
seq 1 5 | { read -r first; echo "first $first"; cat; }
