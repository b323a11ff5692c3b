# Turns rules/*.rules into a C table of { file name, text } (rules.h): one string literal a line.
FNR == 1 {
	if (NR != 1)
		print "\t},"
	else
		print "#include \"base/rules.h\"\n\nconst struct rules_text rules_embedded[] = {"
	name = FILENAME
	sub(/.*\//, "", name)
	printf "\t{ \"%s\",\n", name
}
{
	gsub(/\\/, "\\\\\\\\")
	gsub(/"/, "\\\"")
	gsub(/\t/, "\\t")
	printf "\t\t\"%s\\n\"\n", $0
}
END {
	print "\t},\n\t{ 0, 0 },\n};"
}
