/*
 * config_file.c: the configuration's file: its bytes, and its sections as text.
 *
 * In charge of what may be read at all, and of the form in which two readings of a section can be
 * compared: comments, layout and defaults do not count. Leaves the syntax to config_read.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config_private.h"
#include "base/memory.h"

static enum status read_bytes(int fd, char *text, size_t room, size_t *size_out)
{
	size_t size = 0;

	while (size < room) {
		ssize_t got = read(fd, text + size, room - size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return STATUS_IO;
		if (got == 0)
			break;
		size += (size_t)got;
	}
	*size_out = size;
	return STATUS_OK;
}

/* The text of an open file, on scratch; NULL with a fault. */
static char *load_text(struct config_file *file, int fd, size_t *size_out)
{
	struct stat about;
	size_t room;
	char *text;

	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
		config_file_complain(file, 0, false, "cannot be read: want a file");
		return NULL;
	}
	file->owner = about.st_uid;
	file->written_s = about.st_mtime;
	if (about.st_size > CONFIG_SIZE_MAX) {
		config_file_complain(file, 0, false, "cannot be read: is larger than 1 MiB");
		return NULL;
	}
	if (about.st_mode & S_IWOTH)
		config_file_complain(file, 0, true,
			"every user may write it, and so run commands; run: chmod o-w %s",
			file->path);
	room = (size_t)about.st_size + 1;
	text = mem_alloc(file->scratch, room);
	if (read_bytes(fd, text, room, size_out) != STATUS_OK) {
		config_file_complain(file, 0, false, "cannot be read: %s", strerror(errno));
		return NULL;
	}
	/* Half of an old file and half of a new one could be a valid third. */
	if (*size_out == room) {
		config_file_complain(file, 0, false, "cannot be read: grew meanwhile; try again");
		return NULL;
	}
	return text;
}

/* O_NONBLOCK: a FIFO must not make a delivery wait. */
enum status config_file_read(struct config_file *file)
{
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t size = 0;
	char *text;

	if (fd < 0) {
		config_file_complain(file, 0, false, "cannot be read: %s", strerror(errno));
		return STATUS_NO_INPUT;
	}
	text = load_text(file, fd, &size);
	close(fd);
	if (text == NULL)
		return STATUS_NO_INPUT;
	config_file_parse(file, text, size);
	return STATUS_OK;
}

/* ---- sections as text ---- */

/* A quote or a backslash in it stands behind one, as in a file. */
static char *append_value(char *text, const char *value)
{
	text = mem_append(text, "\"");
	for (; *value != '\0'; value++)
		text = mem_append(text, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
	return mem_append(text, "\"");
}

/* All values of one setting, on a line of its own; nothing where the file does not set it. */
static char *append_setting(
	char *text, const struct config_section *section, const struct config_row *row)
{
	size_t count = 0;

	for (size_t i = 0; i < section->count; i++) {
		if (section->entries[i].row != row)
			continue;
		if (count++ == 0)
			text = mem_append(text, "%s = %s", row->name, row->is_list ? "{" : "");
		else
			text = mem_append(text, ", ");
		text = append_value(text, section->entries[i].text);
	}
	return count == 0 ? text : mem_append(text, row->is_list ? "}\n" : "\n");
}

static struct config_text describe_section(
	const void *context, const struct config_section *section)
{
	char *text = mem_strdup(context, "");

	for (size_t i = 0; i < config_row_count; i++) {
		if (config_rows[i].kind == section->kind)
			text = append_setting(text, section, &config_rows[i]);
	}
	return (struct config_text){
		.kind = section->kind == CONFIG_TOP ? "settings" : config_kinds[section->kind].name,
		.name = section->title == NULL ? "" : mem_strdup(context, section->title),
		.text = text};
}

enum status config_read_texts(const void *context, const char *path, struct config_texts *texts_out)
{
	void *scratch = mem_context(NULL, "config_read_texts");
	struct config_faults faults = {NULL, 0};
	struct config_file file = {
		.path = path, .scratch = scratch, .context = scratch, .faults = &faults};
	enum status status = config_file_read(&file);

	memset(texts_out, 0, sizeof *texts_out);
	if (status == STATUS_OK && (!file.is_whole || file.is_wrong))
		status = STATUS_CONFIG;
	if (status == STATUS_OK) {
		texts_out->items = mem_new_array(context, struct config_text, file.count);
		for (size_t i = 0; i < file.count; i++)
			texts_out->items[texts_out->count++] =
				describe_section(texts_out->items, &file.sections[i]);
		texts_out->owner = file.owner;
		texts_out->written_s = file.written_s;
	}
	mem_free(scratch);
	return status;
}
