# Process substitution.
cat <(echo one) <(echo two); diff <(seq 1 3) <(seq 1 4); echo "status $?"
while read -r x; do s=$((s + x)); done < <(seq 1 10); echo "$s"; echo sideways > >(sed 's/^/> /'); wait $!; paste <(seq 3) <(seq 4 6)
