/* src/base/parallel.c */
#include "base/parallel.h"

#include <pthread.h>

#include "base/macros.h"

#define THREADS_MAX 64U

struct task {
	void (*fn)(void *data, size_t i);
	void *data;
	size_t first, step, n;
};

static void *work(void *data)
{
	const struct task *t = data;

	for (size_t i = t->first; i < t->n; i += t->step)
		t->fn(t->data, i);
	return NULL;
}

void in_parallel(size_t n, void (*fn)(void *data, size_t i), void *data)
{
	size_t threads = MIN(n, (size_t)THREADS_MAX);
	struct task tasks[THREADS_MAX];
	pthread_t ids[THREADS_MAX];

	for (size_t i = 0; i < threads; i++) {
		tasks[i] = (struct task) {
			.fn = fn, .data = data, .first = i, .step = threads, .n = n
		};
		if (i == 0 || pthread_create(&ids[i], NULL, work, &tasks[i]) != 0)
			ids[i] = pthread_self(); /* then we do it */
	}
	for (size_t i = 0; i < threads; i++) {
		if (pthread_equal(ids[i], pthread_self()))
			(void)work(&tasks[i]);
		else
			(void)pthread_join(ids[i], NULL);
	}
}
