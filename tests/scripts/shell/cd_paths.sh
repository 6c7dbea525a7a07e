# cd, pwd, paths.
base=${PWD##*/}; mkdir -p a/b; cd a/b; echo "${PWD##*/}"; cd ..; echo "${PWD##*/}"; cd - >/dev/null; echo "${PWD##*/}"; cd ../..; [ "${PWD##*/}" = "$base" ] && echo back
ln -s a/b l; cd l; echo "${PWD##*/}"; p=$(pwd -P); echo "${p##*/}"; cd ..; [ "${PWD##*/}" = "$base" ] && echo logical
cd nothing 2>/dev/null || echo "no such directory"
touch f; cd f 2>/dev/null || echo "not a directory"
(cd a && ls); HOME=$PWD/a; cd; echo "${PWD##*/}"; cd ..; cd ./a/../a/b/.; echo "${PWD##*/}"
cd ../..; mkdir gone; cd gone; rmdir ../gone; ls . 2>/dev/null; echo "in a removed directory: $?"; cd ..
basename /x/y.c .c; dirname /x/y.c; realpath l | sed 's/.*\///'
