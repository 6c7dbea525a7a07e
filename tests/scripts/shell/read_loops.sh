# read: fields, IFS, backslashes, end of file.
printf 'a b c\n' | { read x y; echo "[$x][$y]"; }
printf '  lead and trail  \n' | { read x; echo "[$x]"; }
printf '  kept  \n' | { IFS= read -r x; echo "[$x]"; }
printf 'a\\\nb\n' | { read x; echo "[$x]"; }
printf 'a\\tb\n' | { read -r x; echo "[$x]"; }
printf 'no newline' | { read x; echo "[$x] $?"; }
printf '' | { read x; echo "[$x] $?"; }
printf '1:2:3\n' | { IFS=: read a b c; echo "$c$b$a"; }
printf 'k=v\n' | { IFS== read k v; echo "$k is $v"; }
printf 'l1\nl2\nl3\n' >f; n=0; while read -r l; do n=$((n + 1)); done <f; echo $n
while read -r l; do last=$l; done <f; echo $last
{ read -r a; read -r b; cat; } <f
seq 1 300 | while read n; do s=$((s + n)); [ $n = 300 ] && echo $s; done
while IFS=, read -r a b; do echo "$b-$a"; done <<END
x,1
y,2
END
