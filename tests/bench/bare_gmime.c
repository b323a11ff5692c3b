/* bare_gmime.c: what scan is compared with: parses each file named on standard input with GMime,
 * and does nothing else. */
#include <gmime/gmime.h>
#include <stdio.h>
#include <string.h>

static void parse(const char *path)
{
	FILE *file = fopen(path, "r");
	GMimeStream *stream = file == NULL ? NULL : g_mime_stream_file_new(file);

	if (stream == NULL)
		return;
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	g_clear_object(&message);
	g_object_unref(parser);
	g_object_unref(stream);
}

int main(void)
{
	char path[4096];

	g_mime_init();
	while (fgets(path, sizeof(path), stdin) != NULL) {
		path[strcspn(path, "\n")] = '\0';
		parse(path);
	}
	return 0;
}
