# sed.
printf 'one\ntwo\nthree\nfour\n' >f
sed 's/o/0/' f; sed 's/o/0/g' f; sed -n '2p' f; sed '2d' f; sed '2,3d' f; sed -n '/t/p' f
sed '/two/a after' f; sed '/two/i\
before' f; sed '$s/.*/last/' f; sed 's/\(.\)\(.\)/\2\1/' f
sed -n '$=' f; sed '1!G;h;$!d' f; sed = f; sed 'y/aeo/AEO/' f; sed -e 's/e/E/' -e 's/r/R/' f
sed -i 's/one/ONE/' f; head -n 1 f
sed 's|t|/|' f; sed -E 's/(t)(h|w)/[\1\2]/' f; sed 2q f; sed -n '2,${p}' f; sed '/t/!d' f
echo 'a b c' | sed 's/ /\n/g'; echo abc | sed 's/b/[&]/'; sed -n 'l' <<END
tab	end
END
sed 'N;s/\n/+/' f; sed -n '/two/,/four/p' f; sed 'w copy' f >/dev/null; cat copy
