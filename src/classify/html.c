/*
 * html.c: in charge of getting at the words of HTML. It is not understood, only unwrapped: no tree
 * is made, so what is open need not be closed.
 */
#include "classify/html.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define NAME_MAX_BYTES 8 /* of an entity that is looked for */

/* Tags that begin a line where one is not just begun. A paragraph leaves one empty. */
static const char *const block_tags[] = {"p", "/p", "div", "/div", "tr", "/tr", "li", "table",
	"/table", "hr", "h1", "h2", "h3", "/h1", "/h2", "/h3", "/td", "pre", "/pre", "blockquote",
	"/blockquote", "ul", "/ul", "ol", "/ol", "dt", "dd", "body", "/body"};
static const char *const paragraph_tags[] = {
	"p", "/p", "table", "/table", "h1", "h2", "h3", "/h1", "/h2", "/h3", "pre", "/pre"};

/* Elements whose content is no text. */
static const char *const hidden_tags[] = {"style", "script", "head", "title"};

/* Entities that stand outside of the row below, and those that are written in any case. */
static const struct {
	const char *name, *text;
	bool has_any_case;
} entities[] = {
	{"lt", "<", true},
	{"gt", ">", true},
	{"amp", "&", true},
	{"quot", "\"", true},
	{"nbsp", " ", true},
	{"apos", "'", true},
	{"ndash", "\u2013", false},
	{"mdash", "\u2014", false},
	{"lsquo", "\u2018", false},
	{"rsquo", "\u2019", false},
	{"sbquo", "\u201a", false},
	{"ldquo", "\u201c", false},
	{"rdquo", "\u201d", false},
	{"bdquo", "\u201e", false},
	{"bull", "\u2022", false},
	{"hellip", "\u2026", false},
	{"euro", "\u20ac", false},
	{"zwnj", "", false},
	{"zwj", "", false},
	{"shy", "", false},
};

#define LATIN_FIRST 161

/* ISO 8859-1 from LATIN_FIRST on, each by its place. */
static const char *const latin[] = {"iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect",
	"uml", "copy", "ordf", "laquo", "not", "shy", "reg", "macr", "deg", "plusmn", "sup2",
	"sup3", "acute", "micro", "para", "middot", "cedil", "sup1", "ordm", "raquo", "frac14",
	"frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring",
	"AElig", "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute", "Icirc", "Iuml",
	"ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash", "Ugrave",
	"Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave", "aacute", "acirc",
	"atilde", "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc", "euml", "igrave",
	"iacute", "icirc", "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml",
	"divide", "oslash", "ugrave", "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml"};

_Static_assert(LATIN_FIRST + sizeof(latin) / sizeof(latin[0]) == 256, "a name for each");

static bool is_tag(const char *tag, const char *name)
{
	/* Most differ in the first character. */
	if ((*tag | ('a' ^ 'A')) != *name)
		return false;
	size_t length = strlen(name);

	return strncasecmp(tag, name, length) == 0 && strchr(" \t\n/>", tag[length]) != NULL;
}

static bool is_one_of(const char *tag, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (is_tag(tag, names[i]))
			return true;
	}
	return false;
}

/* Behind a hidden element whose tag begins at text, or NULL when it does not end. */
static const char *skip_hidden(const char *text)
{
	for (size_t i = 0; i < sizeof(hidden_tags) / sizeof(hidden_tags[0]); i++) {
		char close[16];
		if (!is_tag(text + 1, hidden_tags[i]))
			continue;
		snprintf(close, sizeof(close), "</%s", hidden_tags[i]);
		return text_find_fold(text, close);
	}
	return text;
}

/* Writes a character, in at most as many bytes as its entity has; nothing for what is none. */
static char *write_character(char *out, unsigned long code)
{
	if (code == 0x200b || code < 0x20 || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		return out;
	if (code == 0xa0)
		code = ' ';
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	}
	return out;
}

/* "&#64;" or "&#x40;" at text: behind it, or NULL. */
static const char *decode_number(const char *text, char **out)
{
	bool is_hex = text[2] == 'x' || text[2] == 'X';
	const char *digits = text + 2 + is_hex;
	size_t count = strspn(digits, is_hex ? "0123456789abcdefABCDEF" : "0123456789");

	if (text[1] != '#' || count == 0 || count > 7 || digits[count] != ';')
		return NULL;
	*out = write_character(*out, strtoul(digits, NULL, is_hex ? 16 : 10));
	return digits + count + 1;
}

/* One entity at text: behind it, with its character written; NULL when there is none. */
static const char *decode_entity(const char *text, char **out)
{
	char name[NAME_MAX_BYTES + 1] = "";
	size_t length = strcspn(text + 1, "; \t\n<>&");

	if (text[1] == '#')
		return decode_number(text, out);
	if (length == 0 || length > NAME_MAX_BYTES || text[length + 1] != ';')
		return NULL;
	memcpy(name, text + 1, length);
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		if (entities[i].has_any_case ? strcasecmp(name, entities[i].name) == 0
					     : strcmp(name, entities[i].name) == 0) {
			*out = stpcpy(*out, entities[i].text);
			return text + length + 2;
		}
	}
	for (size_t i = 0; i < sizeof(latin) / sizeof(latin[0]); i++) {
		if (strcmp(name, latin[i]) == 0) {
			*out = write_character(*out, LATIN_FIRST + i);
			return text + length + 2;
		}
	}
	return NULL;
}

/* The address of the link "mailto:" whose tag lies between html and end, where the link's text
 * names none: it is copied to out, which stays in front of end. */
static char *copy_mailto(const char *html, const char *end, char *out)
{
	static const char scheme[] = "mailto:";
	size_t text_size = strcspn(end, "@<");
	const char *target = NULL;
	size_t size;

	for (const char *in = html; target == NULL && in + sizeof(scheme) < end; in++) {
		if (text_starts_fold(in, scheme))
			target = in + sizeof(scheme) - 1;
	}
	if (!is_tag(html + 1, "a") || target == NULL || end[text_size] == '@')
		return out;
	size = strcspn(target, "\"'?> ");
	if (target + size > end)
		return out;
	memmove(out + 1, target, size);
	*out = ' ';
	out[size + 1] = ' ';
	return out + size + 2;
}

/* How many line ends stand at the end of what was written; 2 where nothing was. */
static int count_ends(const char *first, const char *out)
{
	int count = 0;

	while (out > first && count < 2 && out[-1] == '\n') {
		count++;
		out--;
	}
	return out == first ? 2 : count;
}

/* The line ends that a tag stands for. */
static char *write_break(const char *first, char *out, const char *tag)
{
	int wanted = 0;

	if (is_tag(tag, "br")) {
		*out++ = '\n';
		return out;
	}
	if (is_tag(tag, "/td") && out > first && out[-1] == ':') {
		*out++ = ' '; /* a label: what it is for is in the next cell */
		return out;
	}
	if (is_one_of(tag, paragraph_tags, sizeof(paragraph_tags) / sizeof(paragraph_tags[0])))
		wanted = 2;
	else if (is_one_of(tag, block_tags, sizeof(block_tags) / sizeof(block_tags[0])))
		wanted = 1;
	for (int have = count_ends(first, out); have < wanted; have++)
		*out++ = '\n';
	return out;
}

/* One character of the text. Outside of <pre> a line end is a blank, and blanks begin no line:
 * "&nbsp;" does. */
static char *write_text(const char *first, char *out, char c, bool is_pre)
{
	bool is_begin = out == first || out[-1] == '\n';

	if (c == '\r' || (c == '\n' && is_pre)) {
		if (c == '\n')
			*out++ = c;
		return out;
	}
	c = c == '\n' ? ' ' : c;
	if (is_begin && !is_pre && (c == ' ' || c == '\t'))
		return out;
	*out++ = c;
	return out;
}

void html_strip(char *html)
{
	char *out = html;
	bool is_pre = false;

	for (const char *in = html; *in != '\0';) {
		const char *behind;
		if (*in == '<') {
			behind = skip_hidden(in);
			const char *end = behind == NULL ? NULL : strchr(behind, '>');
			if (end == NULL)
				break;
			out = write_break(html, out, in + 1);
			if (in[1] == 'a' || in[1] == 'A')
				out = copy_mailto(in, end, out);
			is_pre = is_tag(in + 1, "pre") || (is_pre && !is_tag(in + 1, "/pre"));
			in = end + 1;
		} else if (*in == '&' && (behind = decode_entity(in, &out)) != NULL) {
			in = behind;
		} else {
			out = write_text(html, out, *in++, is_pre);
		}
	}
	*out = '\0';
}
