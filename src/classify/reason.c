/*
 * reason.c: in charge of turning codes into a reason and a permanence. The mapping is text
 * (rules/status.rules). What the words of a diagnostic say is not read here.
 */
#include "classify/reason.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rules.h"

#define WORD_MAX 32

/* "5.1.1" against "5.1.1", "5.1.*" or "5.*.*": a '*' stands for one number. */
static bool matches(const char *pattern, const char *code)
{
	while (*pattern != '\0' && *code != '\0') {
		if (*pattern == '*') {
			code += strspn(code, "0123456789");
			pattern++;
		} else if (*pattern++ != *code++) {
			return false;
		}
	}
	return *pattern == '\0' && *code == '\0';
}

/* The reason that the first fitting row gives for a code. */
static enum reason find_reason(const char *code)
{
	const char *text = rules_find("status.rules");
	char pattern[WORD_MAX], word[WORD_MAX];
	enum reason reason;

	for (const char *line = text; line != NULL && *line != '\0';) {
		const char *end = strchr(line, '\n');
		if (*line != '#' && sscanf(line, "%31s %31s", pattern, word) == 2 &&
			matches(pattern, code) && reason_parse(word, &reason))
			return reason;
		line = end == NULL ? NULL : end + 1;
	}
	return REASON_UNDEFINED;
}

static enum permanence find_permanence(const struct recipient *recipient)
{
	if (recipient->status != NULL && recipient->status[0] == '5')
		return PERMANENCE_PERMANENT;
	if (recipient->status != NULL && recipient->status[0] == '4')
		return PERMANENCE_TEMPORARY;
	if (recipient->reply != NULL)
		return recipient->reply[0] == '5' ? PERMANENCE_PERMANENT : PERMANENCE_TEMPORARY;
	return PERMANENCE_UNKNOWN;
}

void reason_assign(struct recipient *recipient)
{
	recipient->permanence = find_permanence(recipient);
	if (recipient->status != NULL)
		recipient->reason = find_reason(recipient->status);
	if (recipient->reason == REASON_UNDEFINED && recipient->reply != NULL)
		recipient->reason = find_reason(recipient->reply);
}

/* The length of an enhanced status code at text (RFC 3463 section 2), or 0. */
static size_t measure_status(const char *text)
{
	if ((*text != '2' && *text != '4' && *text != '5') || text[1] != '.')
		return 0;
	size_t subject = strspn(text + 2, "0123456789");
	if (subject == 0 || subject > 3 || text[2 + subject] != '.')
		return 0;
	size_t detail = strspn(text + 3 + subject, "0123456789");
	if (detail == 0 || detail > 3)
		return 0;
	return 3 + subject + detail;
}

static bool is_boundary(char c)
{
	return !isalnum((unsigned char)c) && c != '.' && c != '-';
}

char *reason_find_status(const void *context, const char *text)
{
	for (const char *c = text; c != NULL && *c != '\0'; c++) {
		size_t length = measure_status(c);
		if (length > 0 && (c == text || is_boundary(c[-1])) &&
			(is_boundary(c[length]) || c[length] == '\0' ||
				(c[length] == '.' && !isdigit((unsigned char)c[length + 1]))))
			return mem_strndup(context, c, length);
	}
	return NULL;
}

char *reason_find_reply(const void *context, const char *text)
{
	for (const char *c = text; c != NULL && *c != '\0'; c++) {
		if ((*c == '4' || *c == '5') && c[1] >= '0' && c[1] <= '5' &&
			isdigit((unsigned char)c[2]) && (c == text || is_boundary(c[-1])) &&
			(c[3] == '\0' || c[3] == ' ' || c[3] == '-' || c[3] == ':' || c[3] == ','))
			return mem_strndup(context, c, 3);
	}
	return NULL;
}
