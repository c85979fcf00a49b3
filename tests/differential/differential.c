/* tests/differential/differential.c - usage: why-differential NETNS-FILE SEED CASES
 *
 * Exits with 1 on the first case in which evaluator and kernel differ, after it is shrunk.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/number.h"
#include "generate.h"
#include "send.h"
#include "why/eval.h"
#include "why/lint.h"
#include "why/load.h"
#include "why/show.h"
#include "why/trace.h"

#define BATCH      60
#define FIRST_PORT 20000
#define TEXT_MAX   (1U << 20)
#define QUIET_MS   40  /* without events a batch is through */
#define LATE_MS    400 /* more, where something is missing */
#define IDS_MAX    4096

struct one {
	struct sample sample;
	struct packet packet;
	struct check check;
	struct buf have; /* of the kernel, a line an event */
	bool is_reply;
};

struct bed {
	struct sender sender;
	struct random random;
	uint64_t seed;
	uint16_t next_port;
	struct ruleset rs;
	struct tracer *tracer;
	struct one ones[BATCH];
	size_t n;
	/* Which sample a packet of that id is, -1: none of ours. */
	struct {
		uint32_t id;
		int sample;
	} ids[IDS_MAX];
	unsigned long cases, rulesets, doubts, replies, cases_v6, rulesets_v6;
	struct error err;
};

static void die(const struct bed *bed, const char *what)
{
	(void)fprintf(stderr, "seed %" PRIu64 ": %s: %s\n", bed->seed, what, bed->err.text);
	exit(1);
}

/* rules */

static int feed(const char *const *argv, const char *text)
{
	autoclose int in = memfd_create("rules", MFD_CLOEXEC);
	int status;
	pid_t pid;

	if (in < 0 || file_write_all(in, text, strlen(text)) < 0 || lseek(in, 0, SEEK_SET) < 0)
		return -EIO;
	pid = fork();
	if (pid == 0) {
		if (dup2(in, STDIN_FILENO) < 0)
			_exit(126);
		(void)execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EINVAL;
}

/* What is read out of the kernel here, nft(8) says, too: the rule sets are equal. */
static bool is_as_nft_says(struct bed *bed)
{
	autoclose int fd = memfd_create("said", MFD_CLOEXEC);
	autofree char *file = xasprintf("/proc/%d/fd/%d", (int)getpid(), fd);
	autofree char *command = xasprintf("nft -j list ruleset >%s", file);
	const char *const by_nft[] = { "sh", "-c", command, NULL };
	char *files[] = { file };
	char warning[LOAD_WARNING_LEN];
	const struct findings none = { 0 };
	struct ruleset ours, theirs;
	json_t *a, *b;
	bool equal;

	if (feed(by_nft, "") < 0 || load_files(&theirs, files, 1, &bed->err) < 0 ||
	    load_live(&ours, -1, warning, &bed->err) < 0)
		die(bed, "nft");
	a = show_json(&ours, &none);
	b = show_json(&theirs, &none);
	equal = json_equal(a, b);
	if (!equal) {
		(void)json_dumpf(a, stderr, JSON_INDENT(1));
		(void)json_dumpf(b, stderr, JSON_INDENT(1));
	}
	json_decref(a);
	json_decref(b);
	ruleset_done(&ours);
	ruleset_done(&theirs);
	return equal;
}

static int apply(struct bed *bed, const struct script *nft, const struct script *xt)
{
	static const char *const by_nft[] = { "nft", "-f", "-", NULL };
	static const char *const by_xt[] = { "iptables-nft-restore", NULL };
	static const char *const by_xt6[] = { "ip6tables-nft-restore", NULL };
	autofree char *nft_text = script_text(nft), *xt_text = script_text(xt);
	autofree char *all = xasprintf("flush ruleset\n%s", nft_text);
	char warning[LOAD_WARNING_LEN];

	if (feed(by_nft, all) < 0)
		return -EINVAL;
	if (!is_as_nft_says(bed) && !is_as_nft_says(bed)) /* a counter may have counted */
		die(bed, "the rules are not what nft says that they are");
	if (feed(xt->v6 ? by_xt6 : by_xt, xt_text) < 0)
		return -EINVAL;
	ruleset_done(&bed->rs);
	return load_live(&bed->rs, -1, warning, &bed->err);
}

/* samples */

/* Of one family mostly, which rules speak of. */
static void random_sample(struct bed *bed, bool v6, struct sample *s)
{
	static const uint32_t near[] = { 0x0a010002, 0x0a010003 },
			      far[] = { 0x0a020002, 0x0a020003 };
	static const uint16_t ports[] = { 80, 22, 53, 443, 25, 8080 };
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDP,
					     IPPROTO_ICMP };
	struct random *r = &bed->random;
	uint32_t a = near[random_below(r, 2)], b = far[random_below(r, 2)];

	*s = (struct sample) { .origin = (enum origin)random_below(r, 3), .flags = TH_SYN };
	s->protocol = protocols[random_below(r, ARRAY_SIZE(protocols))];
	s->v6 = v6 != (random_below(r, 8) == 0);
	s->sport = bed->next_port++;
	s->dport = ports[random_below(r, ARRAY_SIZE(ports))];
	if (s->origin == FROM_P0) {
		s->saddr = a;
		s->daddr = random_below(r, 2) ? b : 0x0a010001;
	} else if (s->origin == FROM_P1) {
		s->saddr = b;
		s->daddr = random_below(r, 2) ? a : 0x0a020001;
	} else {
		s->saddr = 0x0a010001;
		s->daddr = random_below(r, 3) ? (random_below(r, 2) ? a : b) : 0x0a010001;
		if (s->daddr == b)
			s->saddr = 0x0a020001;
	}
	if (s->protocol == IPPROTO_TCP && random_below(r, 8) == 0)
		s->flags = TH_SYN | TH_FIN;
}

/* What answers a sample that came through as it was; false: nothing does. */
static bool reply_to(const struct one *one, struct one *ret)
{
	const struct packet *p = &one->check.path.packet;
	const struct sample *s = &one->sample;
	bool passes = one->check.outcome == OUTCOME_DELIVERED ||
		      one->check.outcome == OUTCOME_FORWARDED || one->check.outcome == OUTCOME_SENT;

	if (!passes || one->check.ndoubts > 0 || s->protocol != IPPROTO_UDP ||
	    s->saddr == s->daddr || p->known[FIELD_CT_STATUS] != KNOWN ||
	    p->value[FIELD_CT_STATUS] != 0 || p->value[FIELD_CT_STATE] != STATE_NEW)
		return false;
	*ret = (struct one) { .is_reply = true };
	ret->sample = (struct sample) { .v6 = s->v6,
					.protocol = s->protocol,
					.saddr = s->daddr,
					.daddr = s->saddr,
					.sport = s->dport,
					.dport = s->sport };
	ret->sample.origin = one->check.outcome == OUTCOME_DELIVERED ? FROM_HERE
			     : (s->daddr & 0xffffff00) == 0x0a010000 ? FROM_P0
								     : FROM_P1;
	sample_describe(&ret->sample, &ret->packet);
	packet_set(&ret->packet, FIELD_CT_STATE, STATE_ESTABLISHED);
	packet_set(&ret->packet, FIELD_CT_STATUS, 8 | STATUS_SEEN_REPLY);
	packet_set(&ret->packet, FIELD_CT_DIRECTION, 1);
	packet_set(&ret->packet, FIELD_CT_MARK, p->value[FIELD_CT_MARK]);
	/* Nobody listens here: the error about the first packet went by the rules, too. */
	if (one->check.outcome == OUTCOME_DELIVERED)
		ret->packet.known[FIELD_CT_MARK] = NOT_KNOWN;
	packet_set(&ret->packet, FIELD_CT_PROTOCOL, IPPROTO_UDP);
	packet_set(&ret->packet, s->v6 ? FIELD_CT_IP6_SADDR : FIELD_CT_IP_SADDR,
		   sample_address(s->v6, s->saddr));
	packet_set(&ret->packet, s->v6 ? FIELD_CT_IP6_DADDR : FIELD_CT_IP_DADDR,
		   sample_address(s->v6, s->daddr));
	packet_set(&ret->packet, FIELD_CT_SPORT, s->sport);
	packet_set(&ret->packet, FIELD_CT_DPORT, s->dport);
	return true;
}

/* events */

static int sample_of(const struct bed *bed, const struct trace_event *e)
{
	uint16_t sport = (uint16_t)(e->transport[0] << 8 | e->transport[1]);
	uint16_t dport = (uint16_t)(e->transport[2] << 8 | e->transport[3]);
	uint16_t id = (uint16_t)(e->transport[4] << 8 | e->transport[5]);
	uint8_t protocol = e->is_v6 ? e->network[6] : e->network[9];
	uint8_t echo = e->is_v6 ? 128 : 8;

	if (e->is_v6 && protocol == IPPROTO_ICMPV6)
		protocol = IPPROTO_ICMP;

	for (size_t i = 0; i < bed->n; i++) {
		const struct sample *s = &bed->ones[i].sample;

		if (s->protocol != protocol || s->v6 != e->is_v6)
			continue;
		if (protocol == IPPROTO_ICMP ? e->transport[0] == echo && id == s->sport
		    : bed->ones[i].is_reply  ? dport == s->dport && sport == s->sport
					     : sport == s->sport)
			return (int)i;
	}
	return -1;
}

static void take(struct bed *bed, const struct trace_event *e)
{
	static const char *const kinds[] = { "rule", "end", "policy" };
	size_t slot = e->id % IDS_MAX;
	struct buf *to;

	if (e->network_len >= (e->is_v6 ? 40 : 20) && e->transport_len >= 8) {
		bed->ids[slot].id = e->id;
		bed->ids[slot].sample = sample_of(bed, e);
	}
	if (bed->ids[slot].id != e->id || bed->ids[slot].sample < 0 || e->mark_of != TRACE_FOREIGN)
		return;
	to = &bed->ones[bed->ids[slot].sample].have;
	/* The end of a base chain is told by its policy, too. */
	if (e->kind == TRACE_END) {
		const struct table *t = ruleset_table(&bed->rs, e->family, e->table, BACKEND_NFT);
		const struct chain *c = t ? table_chain(t, e->chain) : NULL;

		if (!c || c->hook != HOOK_NONE)
			return;
	}
	buf_addf(to, "%s %s %s %s", family_name(e->family), e->table, e->chain, kinds[e->kind]);
	if (e->kind == TRACE_RULE)
		buf_addf(to, " %" PRIu64, e->handle);
	if (e->kind != TRACE_END)
		buf_addf(to, " %s %s", verdict_name(e->verdict), e->target);
	buf_add_char(to, '\n');
}

static void drain(struct bed *bed, int quiet_ms)
{
	struct pollfd fd = { .fd = tracer_fd(bed->tracer), .events = POLLIN };
	struct trace_event e;
	int r;

	do {
		while ((r = tracer_read(bed->tracer, &e, &bed->err)) > 0)
			take(bed, &e);
		if (r < 0)
			die(bed, "trace");
	} while (poll(&fd, 1, quiet_ms) > 0);
}

/* what the evaluator says, in the same form */

static void expected(const struct one *one, struct buf *to)
{
	for (size_t i = 0; i < one->check.path.n; i++) {
		const struct step *s = &one->check.path.steps[i];
		enum verdict v = s->verdict == VERDICT_REJECT ? VERDICT_DROP : s->verdict;

		if (s->kind != STEP_RULE && s->kind != STEP_END && s->kind != STEP_POLICY)
			continue;
		buf_addf(to, "%s %s %s ", family_name(s->chain->table->family),
			 s->chain->table->name, s->chain->name);
		if (s->kind == STEP_RULE)
			buf_addf(to, "rule %" PRIu64 " %s %s", s->rule->handle, verdict_name(v),
				 s->target ? s->target->name : "");
		else if (s->kind == STEP_POLICY)
			buf_addf(to, "policy %s ", verdict_name(v));
		else
			buf_add_str(to, "end");
		buf_add_char(to, '\n');
	}
}

static bool differs(struct bed *bed, struct one *one)
{
	cleanup(buf_done) struct buf want = BUF_INIT(TEXT_MAX);
	bool differ;

	expected(one, &want);
	differ = strcmp(buf_text(&want), buf_text(&one->have)) != 0;
	if (differ) {
		drain(bed, LATE_MS);
		differ = strcmp(buf_text(&want), buf_text(&one->have)) != 0;
	}
	return differ;
}

/* a batch */

static const struct world *world(void)
{
	static struct world_address local[] = { { 0x0a010001, false, "eth0" },
						{ 0x0a020001, false, "eth1" },
						{ 0, true, "eth0" },
						{ 0, true, "eth1" } };
	static struct world_route routes[] = { { { 0x0a010000, 0x0a0100ff }, false, "eth0" },
					       { { 0x0a020000, 0x0a0200ff }, false, "eth1" },
					       { { 0, 0 }, true, "eth0" },
					       { { 0, 0 }, true, "eth1" } };
	static const struct world w = {
		.local = local, .nlocal = 4, .routes = routes, .nroutes = 4
	};

	for (size_t i = 2; i < 4; i++) {
		local[i].value = sample_address(true, (uint32_t)local[i - 2].value);
		routes[i].to.lo = local[i].value - 1;
		routes[i].to.hi = routes[i].to.lo | UINT64_MAX;
	}
	return &w;
}

static void send_all(struct bed *bed)
{
	for (size_t i = 0; i < bed->n; i++) {
		struct one *one = &bed->ones[i];

		one->have = BUF_INIT(TEXT_MAX);
		check_run(&bed->rs, &one->packet, world(), &one->check);
		if (sender_send(&bed->sender, &one->sample, &bed->err) < 0)
			die(bed, "send");
	}
	drain(bed, QUIET_MS);
}

static void forget(struct bed *bed)
{
	for (size_t i = 0; i < bed->n; i++) {
		check_done(&bed->ones[i].check);
		buf_done(&bed->ones[i].have);
	}
	bed->n = 0;
	for (size_t i = 0; i < IDS_MAX; i++)
		bed->ids[i].sample = -1;
}

static void open_trace(struct bed *bed)
{
	const struct trace_filter everything = { 0, 0 };

	if (tracer_open(-1, &everything, &bed->tracer, &bed->err) < 0)
		die(bed, "trace");
}

/* Whether the sample still goes wrong with the rules as they are. */
static bool still_differs(struct bed *bed, const struct script *nft, const struct script *xt,
			  const struct sample *sample)
{
	bool differ;

	tracer_close(bed->tracer);
	bed->tracer = NULL;
	if (apply(bed, nft, xt) < 0)
		return false;
	open_trace(bed);
	bed->n = 1;
	bed->ones[0] = (struct one) { .sample = *sample };
	bed->ones[0].sample.sport = bed->next_port++;
	sample_describe(&bed->ones[0].sample, &bed->ones[0].packet);
	send_all(bed);
	differ = bed->ones[0].check.ndoubts == 0 && bed->ones[0].check.nidle == 0 &&
		 differs(bed, &bed->ones[0]);
	forget(bed);
	return differ;
}

static void shrink(struct bed *bed, struct script *nft, struct script *xt,
		   const struct sample *sample)
{
	struct script *both[] = { nft, xt };

	for (size_t k = 0; k < ARRAY_SIZE(both); k++)
		for (size_t i = 0; i < both[k]->lines.n; i++) {
			if (!both[k]->is_rule[i])
				continue;
			both[k]->is_left_out[i] = true;
			both[k]->is_left_out[i] = still_differs(bed, nft, xt, sample);
		}
	(void)still_differs(bed, nft, xt, sample);
}

static void print_difference(const struct one *one)
{
	cleanup(buf_done) struct buf want = BUF_INIT(TEXT_MAX), head = BUF_INIT(TEXT_MAX);

	expected(one, &want);
	packet_format(&one->packet, &head);
	(void)fprintf(stderr, "packet %s, from %d, flags %x\nevaluator:\n%skernel:\n%s",
		      buf_text(&head), one->sample.origin, one->sample.flags, buf_text(&want),
		      buf_text(&one->have));
}

static void fail(struct bed *bed, struct one *one, struct script *nft, struct script *xt)
{
	const struct sample sample = one->sample;
	bool is_reply = one->is_reply;

	(void)fprintf(stderr, "seed %" PRIu64 ": evaluator and kernel differ%s\n", bed->seed,
		      is_reply ? " about a reply" : "");
	print_difference(one);
	if (!is_reply) {
		forget(bed);
		shrink(bed, nft, xt, &sample);
	}
	autofree char *nft_text = script_text(nft), *xt_text = script_text(xt);

	(void)fprintf(stderr, "rules, shrunk:\n%s%s", nft_text, xt_text);
	exit(1);
}

static void compare_all(struct bed *bed, struct script *nft, struct script *xt)
{
	for (size_t i = 0; i < bed->n; i++) {
		struct one *one = &bed->ones[i];

		bed->cases++;
		bed->replies += one->is_reply;
		bed->cases_v6 += one->sample.v6;
		if (one->check.ndoubts > 0 || one->check.outcome == OUTCOME_UNKNOWN)
			bed->doubts++;
		else if (differs(bed, one)) {
			if (one->check.nidle == 0)
				fail(bed, one, nft, xt);
			bed->doubts++; /* the kernel tells of rules that only count, too */
		}
	}
}

static void send_replies(struct bed *bed, struct script *nft, struct script *xt)
{
	struct one replies[BATCH];
	size_t n = 0;

	for (size_t i = 0; i < bed->n; i++)
		if (reply_to(&bed->ones[i], &replies[n]))
			n++;
	forget(bed);
	memcpy(bed->ones, replies, n * sizeof(replies[0]));
	bed->n = n;
	send_all(bed);
	compare_all(bed, nft, xt);
	forget(bed);
}

static void run_ruleset(struct bed *bed)
{
	bool v6 = random_below(&bed->random, 2) > 0;
	struct script nft = { .v6 = v6 }, xt = { .v6 = v6 };

	bed->rulesets_v6 += v6;
	if (random_below(&bed->random, 3) > 0)
		generate_nft(&bed->random, &nft);
	if (nft.lines.n == 0 || random_below(&bed->random, 2) > 0)
		generate_iptables(&bed->random, &xt);
	if (apply(bed, &nft, &xt) < 0) {
		autofree char *nft_text = script_text(&nft), *xt_text = script_text(&xt);

		(void)fprintf(stderr, "%s%s", nft_text, xt_text);
		die(bed, "these rules are refused");
	}
	open_trace(bed);
	for (bed->n = 0; bed->n < BATCH; bed->n++) {
		struct one *one = &bed->ones[bed->n];

		*one = (struct one) { 0 };
		random_sample(bed, v6, &one->sample);
		sample_describe(&one->sample, &one->packet);
	}
	send_all(bed);
	compare_all(bed, &nft, &xt);
	send_replies(bed, &nft, &xt);
	tracer_close(bed->tracer);
	bed->tracer = NULL;
	bed->rulesets++;
	script_done(&nft);
	script_done(&xt);
}

int main(int argc, char **argv)
{
	static struct bed bed = { .next_port = FIRST_PORT };
	uint64_t cases = 0;
	int peer;

	if (argc != 4 || number_parse(argv[2], UINT64_MAX, &bed.seed) < 0 ||
	    number_parse(argv[3], 20000, &cases) < 0) {
		(void)fprintf(stderr, "usage: why-differential NETNS-FILE SEED CASES\n");
		return 2;
	}
	peer = open(argv[1], O_RDONLY | O_CLOEXEC);
	bed.random.state = bed.seed * 0x9e3779b97f4a7c15 + 1;
	for (unsigned i = 0; i < 8; i++)
		(void)random_below(&bed.random, 2);
	if (peer < 0 || sender_open(peer, &bed.sender, &bed.err) < 0)
		die(&bed, argv[1]);
	forget(&bed);
	while (bed.cases < cases)
		run_ruleset(&bed);
	ruleset_done(&bed.rs);
	(void)printf("seed %" PRIu64
		     ": %lu cases (%lu of IPv6, %lu replies) in %lu rule sets (%lu of IPv6), "
		     "%lu with doubt\n",
		     bed.seed, bed.cases, bed.cases_v6, bed.replies, bed.rulesets, bed.rulesets_v6,
		     bed.doubts);
	return 0;
}
