# diff, cmp, patch.
printf 'a\nb\nc\n' >x; printf 'a\nB\nc\nd\n' >y
diff x y | sed 's/^--- .*/---/'; echo "status $?"; cmp x y; echo $?; cmp x x; echo $?
diff -u x y | sed 1,2d; diff -q x y; diff x x; echo $?
diff -u x y >p; patch x <p >/dev/null && cmp x y && echo patched
mkdir d e; echo 1 >d/f; echo 2 >e/f; diff -r d e | grep -c '^[<>]'
