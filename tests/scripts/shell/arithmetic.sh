# Arithmetic expansion.
echo $((1 + 2 * 3)) $(((1 + 2) * 3)) $((7 / 2)) $((-7 / 2)) $((7 % 3)) $((-7 % 3))
echo $((1 << 10)) $((1024 >> 3)) $((5 & 3)) $((5 | 3)) $((5 ^ 3)) $((~0)) $((!0)) $((!5))
echo $((3 > 2)) $((3 < 2)) $((3 == 3)) $((3 != 3)) $((1 && 0)) $((1 || 0)) $((1 ? 10 : 20))
x=5; echo $((x)) $((x + 1)) $((x += 2)) $x
echo $((x = x * x)) $x
echo $((0x1f)) $((010)) $((2147483647 + 1))
i=0; while [ $((i += 1)) -lt 4 ]; do echo $i; done
echo $((1 + $(echo 2) + x))
unset u; echo $((u + 1))
s=0; for n in 1 2 3 4 5 6 7 8 9 10; do s=$((s + n)); done; echo $s
a=1 b=1; for i in 1 2 3 4 5 6 7 8 9 10; do t=$((a + b)) a=$b b=$t; done; echo $b
[ $((10 % 2)) -eq 0 ] && echo even
expr 3 + 4; expr 3 \* 4; expr 10 / 3; expr abc : 'a\(.\)c'; expr length abc 2>/dev/null
