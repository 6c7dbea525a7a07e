# Quoting.
echo 'single $x `y` \n' "double \$x \`y\` \\"
x=1; echo "a'$x'b" 'a"$x"b' a\ b
echo "multi
line"
echo one\
two
echo "" '' x
printf '%s|' "a b" 'c d' e\ f; echo
printf '%s\n' "it's" 'say "hi"'
echo "$(echo "nested "quotes"")"
eval 'y="a b"; echo "$y"'
echo \$x \\ \" \'
set -- 'a  b'; echo $1; echo "$1"
echo "tab	here" | cat -v
