#!/bin/sh
# Resource limits, from none to enough: whatever runs out, the message arrives once and whole with
# exit code 0, or not at all with 75.
. "$(dirname "$0")/lib.sh"

# each_limit OPTION VALUE...: delivers under `ulimit OPTION VALUE`. Values under which not even
# --version works are left out: then it is not the program that ends, but the loader.
each_limit() {
	option=$1
	shift
	failed=
	deferred=0
	delivered=0
	for value; do
		prepare
		(ulimit "$option" "$value" && exec "$BACKSTOP" --version) >/dev/null 2>&1 || continue
		status=0
		(ulimit "$option" "$value" && exec "$BACKSTOP" deliver -c "$conf" "$now") \
			<"$message" >"$dir/.out" 2>"$dir/.err" || status=$?
		note_outcome
		check_promise
		case $status in
		0) delivered=$((delivered + 1)) ;;
		75) deferred=$((deferred + 1)) ;;
		esac
		check_recovery "$((1 + copies))"
		[ -z "$problem" ] || failed="$failed
#   $value: $problem"
	done
	[ -z "$failed" ] && [ "$deferred" -gt 0 ] && [ "$delivered" -gt 0 ]
	report $? "$way, $beginning state: ulimit $option: $delivered delivered, $deferred deferred"
	[ -z "$failed" ] || printf '%s\n' "${failed#?}"
}

# A program of the list's own may need more than the limit allows: that is its failure, not ours.
for plan in to_maildir:fresh to_drop:used to_drop:fresh; do
	choose "${plan%:*}" "${plan#*:}"
	# 512 bytes each; the message has about four.
	each_limit -f 1 2 4 5 8 16 32 63 64 65 100 128 160 176 256 1024
	each_limit -n 3 4 5 6 7 8 9 10 12 32
done

# A sanitizer needs terabytes of address space.
if [ -z "${BACKSTOP_SAN-}" ]; then
	choose to_maildir fresh
	{
		cat "$message"
		head -c 4000000 /dev/zero | tr '\0' '\n'
	} >"$dir/large"
	message=$dir/large
	least=8000
	until (ulimit -v $least && exec "$BACKSTOP" --version) >/dev/null 2>&1; do
		least=$((least + 1000))
		[ $least -lt 1000000 ] || break
	done 2>/dev/null
	each_limit -v $least $((least + 1000)) $((least + 2000)) $((least + 4000)) \
		$((least + 8000)) $((least + 12000)) $((least + 20000)) $((least + 30000)) \
		$((least + 50000)) $((least + 500000))
fi

done_testing
