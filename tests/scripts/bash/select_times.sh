# read -t, printf dates, SECONDS, RANDOM.
read -t 0.1 x < <(sleep 1); echo "timeout: $(($? > 128))"; read -n 2 y <<<abcdef; echo $y; printf '%(%Y)T\n' 0; [ $SECONDS -ge 0 ] && [ $RANDOM != x ] && echo good; read -d : z <<<'a:b'; echo $z; TIMEFORMAT=; time true; echo $BASH_VERSINFO
