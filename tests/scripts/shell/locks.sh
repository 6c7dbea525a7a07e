# flock, where two want the same.
mkfifo there go
(flock 9; echo "holds it"; : >there; read -r x <go; echo "lets go") 9>lock &
cat there
(flock -n 9 || echo "busy") 9>lock
echo go >go; (flock 9; echo "second") 9>lock; wait
flock lock echo "by a command"; flock -n lock sh -c 'flock -n lock true || echo "not twice"'
