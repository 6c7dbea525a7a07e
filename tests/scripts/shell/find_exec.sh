# find, with -exec and -print0.
mkdir -p a/b/c; touch a/1.txt a/b/2.txt a/b/c/3.dat; ln -s 1.txt a/link; chmod 600 a/1.txt; touch -d "2020-01-01 00:00:00" a/1.txt
find . | sort
find . -type f | sort
find . -type d | sort
find . -name '*.txt' | sort
find . -type l
find a -maxdepth 1 | sort
find . -name '*.txt' -exec echo found {} \; | sort
find . -name '*.txt' -exec echo {} + | tr ' ' '\n' | sort
find . -type f -print0 | sort -z | xargs -0 -n 1 echo
find . -perm 600
find . -type f ! -name '*.txt'
find . -empty | sort
find . -name '*.dat' -delete; find . -name '*.dat' | wc -l
find . -name b -prune -o -type f -print | sort
find nothing 2>/dev/null; echo "status $?"
echo abc >a/s; find . -size -2c -type f | sort; find . -newer a/1.txt -name s
