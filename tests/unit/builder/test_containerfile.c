#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "builder/containerfile.h"

/* Lines as "first-last text", here-documents as " <<name:content". */
static char *lines_of(const struct containerfile *f)
{
	char *all = xstrdup("");

	for (size_t i = 0; i < f->n; i++) {
		char *longer = xasprintf("%s%u-%u %s\n", all, f->lines[i].first, f->lines[i].last,
					 f->lines[i].text);

		free(all);
		all = longer;
		for (size_t k = 0; k < f->lines[i].ndocs; k++) {
			const struct heredoc *d = &f->lines[i].docs[k];

			longer = xasprintf("%s<<%s%s:%s", all, d->name, d->expands ? "" : "'",
					   d->content);
			free(all);
			all = longer;
		}
	}
	return all;
}

static void lines_are_joined(void **state)
{
	static const char *const cases[][2] = {
		{ "FROM a\nRUN b\n", "1-1 FROM a\n2-2 RUN b\n" },
		{ "\n\n  FROM a  \r\n", "3-3 FROM a\n" },
		{ "RUN a \\\n  b", "1-2 RUN a   b\n" },
		{ "RUN a \\  \nb", "1-2 RUN a b\n" },
		{ "RUN a \\\\\nENV x y", "1-1 RUN a \\\\\n2-2 ENV x y\n" },
		{ "RUN a \\\n# c\n\n   # d\n b\nX", "1-5 RUN a  b\n6-6 X\n" },
		{ "# comment\nFROM a\n  # another\nRUN b", "2-2 FROM a\n4-4 RUN b\n" },
		{ "# escape=`\nRUN a `\n b\nRUN c \\\nRUN d",
		  "2-3 RUN a  b\n4-4 RUN c \\\n5-5 RUN d\n" },
		{ "#syntax = docker/dockerfile:1\n# ESCAPE = `\nRUN `\na", "3-4 RUN a\n" },
		{ "# x\n# escape=`\nRUN a `\nb", "3-3 RUN a `\n4-4 b\n" },
		{ "\n# escape=`\nRUN a `\nb", "3-3 RUN a `\n4-4 b\n" },
		{ "\xef\xbb\xbf# escape=`\nRUN `\na", "2-3 RUN a\n" },
		{ "RUN a \\", "1-1 RUN a\n" },
		{ "", "" },
		{ "\\\n\\\n", "" },
		{ "RUN <<EOF\necho a\n# no comment\\\nEOF\nRUN b",
		  "1-4 RUN <<EOF\n<<EOF:echo a\n# no comment\\\n5-5 RUN b\n" },
		{ "RUN <<-EOF\n\t\ta\n\tEOF\n", "1-3 RUN <<-EOF\n<<EOF:a\n" },
		{ "COPY <<'A' <<\"B\" /x/\n1\nA\n2\nB\n",
		  "1-5 COPY <<'A' <<\"B\" /x/\n<<A':1\n<<B':2\n" },
		{ "COPY <<A <<B /x/\nA\nB\n", "1-3 COPY <<A <<B /x/\n<<A:<<B:" },
		{ "RUN cat <<<x\n", "1-1 RUN cat <<<x\n" },
		{ "RUN echo '<<A'\n", "1-1 RUN echo '<<A'\n" },
		{ "RUN echo $((1<<2)) 3<<A\nx\nA\n", "1-3 RUN echo $((1<<2)) 3<<A\n<<A:x\n" },
		{ "RUN [\"a\", \"<<A\"]\n", "1-1 RUN [\"a\", \"<<A\"]\n" },
		{ "ENV a=<<A\n", "1-1 ENV a=<<A\n" },
		{ "ONBUILD RUN <<A\nx\nA\n", "1-3 ONBUILD RUN <<A\n<<A:x\n" },
		{ "RUN a \\\n <<A\nx\nA\n", "1-4 RUN a  <<A\n<<A:x\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct containerfile f = { .escape = 0 };
		struct fault fault;
		struct error err = { 0 };
		autofree char *got = NULL;

		if (containerfile_parse(cases[i][0], strlen(cases[i][0]), "F", &f, &fault, &err) <
		    0)
			fail_msg("'%s': %s", cases[i][0], err.text);
		got = lines_of(&f);
		assert_string_equal(got, cases[i][1]);
		containerfile_done(&f);
	}
}

static void mistakes_have_a_place(void **state)
{
	static const struct {
		const char *text, *error;
		unsigned line, column;
	} cases[] = {
		{ "# escape=x\n", "F:1: escape is either \\ or `", 1, 1 },
		{ "# escape=`\n# escape=`\n",
		  "F:2: only one parser directive of a kind can be used", 2, 1 },
		{ "FROM a\nRUN x <<EOF\nb\n", "F:2: the here-document never ends: no line is 'EOF'",
		  2, 7 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct containerfile f;
		struct fault fault;
		struct error err = { 0 };

		assert_int_equal(containerfile_parse(cases[i].text, strlen(cases[i].text), "F", &f,
						     &fault, &err),
				 -EINVAL);
		assert_string_equal(err.text, cases[i].error);
		assert_int_equal(fault.line, cases[i].line);
		assert_int_equal(fault.column, cases[i].column);
	}
}

static void a_place_is_shown(void **state)
{
	static const char text[] = "FROM a\nRUN x \\\n\ty z\n";
	struct containerfile f;
	struct fault fault;
	autofree char *shown = NULL;

	(void)state;
	assert_int_equal(containerfile_parse(text, strlen(text), "F", &f, &fault, NULL), 0);
	fault = line_fault(&f.lines[1], strlen("RUN x \ty "));
	assert_int_equal(fault.line, 3);
	shown = fault_show(&fault, text, strlen(text));
	assert_string_equal(shown, "    3 |  y z\n      |    ^");
	fault = line_fault_of(&f.lines[1], "y z");
	assert_int_equal(fault.line, 3);
	assert_int_equal(fault.column, 2);
	fault = line_fault_of(&f.lines[1], "not there");
	assert_int_equal(fault.line, 2);
	assert_int_equal(line_fault_of(&f.lines[1], NULL).column, 1);
	containerfile_done(&f);
}

static void a_binary_is_none(void **state)
{
	struct containerfile f;
	struct fault fault;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(containerfile_parse("FROM\0a", 6, "F", &f, &fault, &err), -EINVAL);
	assert_string_equal(err.text, "F holds a NUL byte; it is no text");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_joined),
		cmocka_unit_test(mistakes_have_a_place),
		cmocka_unit_test(a_place_is_shown),
		cmocka_unit_test(a_binary_is_none),
	};

	return cmocka_run_group_tests_name("builder/containerfile", tests, NULL, NULL);
}
