# Primes, and other sums.
n=2; while [ $n -lt 60 ]; do
    p=1; d=2; while [ $((d * d)) -le $n ]; do [ $((n % d)) = 0 ] && { p=0; break; }; d=$((d + 1)); done
    [ $p = 1 ] && printf '%d ' $n
    n=$((n + 1))
done; echo
gcd() { a=$1 b=$2; while [ $b -ne 0 ]; do t=$((a % b)) a=$b b=$t; done; echo $a; }
gcd 48 36; gcd 17 5
hanoi() { [ $1 -eq 0 ] || { hanoi $(($1 - 1)) $2 $4 $3; moves=$((moves + 1)); hanoi $(($1 - 1)) $4 $3 $2; }; }
moves=0; hanoi 5 a b c; echo "$moves moves"
b=; n=37; while [ $n -gt 0 ]; do b=$((n % 2))$b; n=$((n / 2)); done; echo $b
