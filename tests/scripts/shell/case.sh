# case: patterns, alternatives, ranges, defaults.
t() { case $1 in
    a) echo letter a ;;
    b | c) echo b or c ;;
    [0-9]) echo digit ;;
    [0-9]*) echo number-like ;;
    *.txt) echo text file ;;
    "x y") echo with a space ;;
    '') echo empty ;;
    \*) echo star ;;
    *) echo other ;;
esac; }
for w in a b c 5 55x file.txt 'x y' '' '*' zzz; do t "$w"; done
case abc in a*c) echo matched;; esac
case abc in (a?c) echo parenthesis;; esac
case /usr/bin in */bin) echo path;; esac
p='a*'; case abc in $p) echo pattern in a variable;; esac
case abc in "$p") echo never;; *) echo quoted pattern is text;; esac
