# Patterns of file names.
touch a1 a2 b1 .hidden 'with space' '[x]' ; mkdir sub; touch sub/a3 sub/c
echo *
echo a*
echo ?1
echo [ab]1
echo [!a]1
echo [a-b][1-2]
echo .h*
echo nothing*
echo */*
echo sub/[a-b]*
echo "*" '*' \*
for f in *; do printf '<%s>' "$f"; done; echo
echo \[x\]
set -f; echo *; set +f
x='a*'; echo $x; echo "$x"
rm -f a*; echo *
