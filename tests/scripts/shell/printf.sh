# printf.
printf '%s %d %x %o %c\n' text 42 255 8 char
printf '%5d|%-5d|%05d|%+d\n' 42 42 42 42
printf '%10s|%-10s|%.2s\n' right left cut
printf '%s\n' a b c
printf '%d-%d\n' 1 2 3
printf 'tab\there\\ %% \101 \n'
printf '%b\n' 'a\tb'
printf '%e %f %g\n' 1.5 2.25 0.0001
printf '%u %X\n' 7 48879
printf '%s' no newline; echo
printf '%d\n' 0x10 010 "'A"
printf '%*d\n' 6 42
printf '%d\n' notanumber 2>/dev/null; echo $?
