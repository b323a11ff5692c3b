/* html.h: the words of HTML. */
#ifndef BACKSTOP_CLASSIFY_HTML_H
#define BACKSTOP_CLASSIFY_HTML_H

/* HTML to the lines that a person would read, in place: the result is never longer. Tags vanish,
 * blocks and <br> begin lines, the lines of <pre> stay; entities become their characters, in UTF-8.
 * The address of a "mailto:" link whose text names none stands in front of that text. */
void html_strip(char *html);

#endif
