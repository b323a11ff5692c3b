#!/bin/sh
# The sample configuration has every setting there is, and what is commented out in it is right; so
# has backstop.conf(5).
. "$(dirname "$0")/lib.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
sample=$top/contrib/backstop.conf.sample
page=$top/src/man/backstop.conf.5

# The configuration itself is read; files that it names need not be there.
run "$BACKSTOP" scan -c "$sample" --format=csv "$top/tests/mail/world/genuine-postfix.eml"
is "$status $err" "0 " "the sample is a configuration"
sed 's/^\([[:blank:]]*\)# \([a-z-]* *= .*\)/\1\2/; s/^# \([a-z]* .*{ .* }\)$/\1/' "$sample" >"$dir/conf"
run "$BACKSTOP" scan -c "$dir/conf" --format=csv "$top/tests/mail/world/genuine-postfix.eml"
unlike "$err" 'conf:[0-9]+: ' "so it is with all that is commented out"
keys=$(sed -n 's/^	{CONFIG_[A-Z]*, "\([a-z-]*\)".*/\1/p' "$top/src/base/config_rows.c" | sort -u)
ok "there are settings" test "$(echo "$keys" | wc -l)" -gt 30
for key in $keys; do
	ok "$key is in the sample" grep -Eq "(^|[{[:blank:]])$key +=" "$dir/conf"
	ok "$key is in backstop.conf(5)" grep -Fxq ".B $(echo "$key" | sed 's/-/\\-/g')" "$page"
done
unlike "$(cat "$dir/conf")" '^[[:blank:]]*# [a-z-]+ +=' "no setting is left commented out"

done_testing
