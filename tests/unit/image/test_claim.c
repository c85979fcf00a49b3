/* tests/unit/image/test_claim.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/file.h>

#include "../scratch.h"
#include "image/claim.h"
#include "image/incoming.h"

#define CHAIN "0123456789012345678901234567890123456789012345678901234567890123"

static void the_first_has_it_and_others_have_a_place_of_their_own_in_the_end(void **state)
{
	autoclose int root = scratch_open(*state), mine = -1, his = -1;
	autofree char *path = NULL, *other = NULL, *alone = NULL;
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	struct patience patience = { .over = false };

	assert_int_equal(incoming_open(*state, root, &in, NULL), 0);
	assert_int_equal(claim_layer(&in, CHAIN, NULL, &mine, &path, NULL), 0);
	assert_string_equal(path, "tmp/" CHAIN);
	assert_int_equal(claim_layer(&in, CHAIN, NULL, &his, &other, NULL), -EWOULDBLOCK);
	/* With none left. */
	patience.over = true;
	alone = xasprintf("%s/" CHAIN, in.tmp_name);
	assert_int_equal(claim_layer(&in, CHAIN, &patience, &his, &other, NULL), 0);
	assert_string_equal(other, alone);
	patience_done(&patience);
}

static void what_is_whole_is_not_claimed(void **state)
{
	autoclose int root = scratch_open(*state), dir = -1;
	autofree char *path = NULL;
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;

	scratch_put(*state, "layers/" CHAIN "/diff/file", "");
	assert_int_equal(incoming_open(*state, root, &in, NULL), 0);
	assert_false(layer_is_there(&in, CHAIN));
	scratch_put(*state, "layers/" CHAIN "/layer.json", "{}");
	assert_int_equal(claim_layer(&in, CHAIN, NULL, &dir, &path, NULL), 1);
	assert_int_equal(dir, -1);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_first_has_it_and_others_have_a_place_of_their_own_in_the_end),
		CASE(what_is_whole_is_not_claimed),
	};

	return cmocka_run_group_tests_name("image/claim", tests, NULL, NULL);
}
