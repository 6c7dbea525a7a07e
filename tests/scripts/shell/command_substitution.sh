# Command substitution: nesting, trimming, status, quotes.
echo "$(echo inner)"
echo `echo back \`echo nested\``
x=$(printf 'trailing\n\n\n'); echo "[$x]"
x=$(printf '\n\nleading'); echo "[$x]"
x=$(false); echo "status $?"
x=$(exit 7) || echo "exit $?"
echo $(echo $(echo $(echo four levels)))
echo "$(printf '%s\n' a b c)"
echo $(printf '%s\n' a b c)
y=$(for i in 1 2 3; do echo "line $i"; done); echo "$y"
n=$(seq 1 2000 | wc -l); echo $n
z=$(seq 1 9000); echo ${#z}
echo "in quotes: $(echo "quoted 'inner' \"text\"")"
echo "$(cat <<END
here-document in a substitution
END
)"
(echo subshell; exit 5); echo "$?"
