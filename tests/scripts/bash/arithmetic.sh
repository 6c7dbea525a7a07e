# (( )), let, for (( )).
for ((i = 0; i < 3; i++)); do echo -n "$i "; done; echo; ((x = 3 ** 4)); echo $x; let y=x%7; echo $y; ((0)) || echo zero; echo $((16#ff)) $((2#101)) $((x++ + ++x)); declare -i k=3+4; echo $k
