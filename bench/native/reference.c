/*
 * The limit: lookups of the simulated kernel in C, over a copy of a machine's memory, so that the
 * same keys give the same sums. Lines on stdin, answers on stdout:
 *
 *   place NAME NUMBER       a number of the machine (places.h)
 *   memory BYTES            then so many bytes: the machine's words. Answer: ready
 *   run LOOKUP BATCH CHUNK MS READERS
 *                           then for each reader: VCPU KEYS SUMS CHUNKS, the words of its keys and
 *                           of the sum of each chunk. All readers look chunk after chunk up, BATCH
 *                           keys a call, for about MS milliseconds. Answer, for each reader:
 *                           LOOKUPS NANOSECONDS WRONG LONGEST, the last in nanoseconds of a chunk
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "gup-fast.h"
#include "m2p-override.h"
#include "vma-pages.h"

long bugs;

/* One function for each lookup, not inlined: a call a batch. */
typedef int32_t (*lookup_t)(const struct machine *global, word_t keys, int32_t count);

/* The machine as a local constant, which the compiler keeps in registers across atomics. */
#define LOOKUP(name, ...)                                                                          \
  static __attribute__((noinline)) int32_t name(const struct machine *global, word_t keys,         \
                                                int32_t count) {                                   \
    const struct machine local = *global;                                                          \
    const struct machine *const m = &local;                                                        \
    __VA_ARGS__                                                                                    \
  }

#define EACH_KEY(name, expression)                                                                 \
  LOOKUP(name, uint32_t sum = 0; for (int32_t i = 0; i < count; i++) {                             \
    int32_t key = read_once(m, keys + i);                                                          \
    sum += expression;                                                                             \
  } return (int32_t)sum;)

LOOKUP(gup_fast_4, return gup_fast_pages(m, keys, count, 4, 9);)
LOOKUP(gup_fast_range_4, return gup_fast_ranges(m, keys, count, 4, 9);)
LOOKUP(gup_fast_2_9, return gup_fast_pages(m, keys, count, 2, 9);)
LOOKUP(gup_fast_2_any, return gup_fast_pages(m, keys, count, 2, m->at.pt_shift);)
LOOKUP(one_lock, return find_overrides(m, keys, count, false);)
LOOKUP(bucket_locks, return find_overrides(m, keys, count, true);)
EACH_KEY(speculative, vma_page_speculative(m, key))
EACH_KEY(per_vma_lock, vma_page_per_vma_lock(m, key))
EACH_KEY(under_rcu, vma_page_under_rcu(m, key))

static int32_t gup_fast_2(const struct machine *m, word_t keys, int32_t count) {
  return (m->at.pt_shift == 9 ? gup_fast_2_9 : gup_fast_2_any)(m, keys, count);
}

static const struct {
  const char *name;
  lookup_t run;
} lookups[] = {
    {"gup-fast-4", gup_fast_4},
    {"gup-fast-2", gup_fast_2},
    {"gup-fast-range", gup_fast_range_4},
    {"m2p-override", one_lock},
    {"m2p-override-bucket-locks", bucket_locks},
    {"vma-pages-seqcount", speculative},
    {"vma-pages-per-vma-lock", per_vma_lock},
    {"vma-pages-rcu", under_rcu},
};

static lookup_t find_lookup(const char *name) {
  for (size_t i = 0; i < sizeof lookups / sizeof *lookups; i++)
    if (strcmp(lookups[i].name, name) == 0) return lookups[i].run;
  return NULL;
}

static bool set_place(struct layout *at, const char *name, word_t value) {
#define PLACE(field)                                                                               \
  if (strcmp(name, #field) == 0) {                                                                 \
    at->field = value;                                                                             \
    return true;                                                                                   \
  }
#include "places.h"
#undef PLACE
  return false;
}

static bool take_memory(struct machine *m, size_t bytes) {
  void *memory =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  m->words = memory;
  return fread(memory, 1, bytes, stdin) == bytes;
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

#define MOST_READERS 16
#define LINE_WORDS 16

struct reader {
  struct machine machine;
  lookup_t lookup;
  pthread_barrier_t *start;
  int batch, chunk, chunks;
  word_t keys, sums;
  int64_t duration, lookups, nanoseconds, wrong, longest;
};

/* Looks one chunk up. @returns whether the sum is right. */
static bool look_up(const struct reader *reader, int chunk) {
  const struct machine *m = &reader->machine;
  word_t keys = reader->keys + chunk * reader->chunk;
  uint32_t sum = 0;
  for (int done = 0; done < reader->chunk; done += reader->batch) {
    int left = reader->chunk - done;
    sum += reader->lookup(m, keys + done, reader->batch < left ? reader->batch : left);
  }
  return (int32_t)sum == read_once(m, reader->sums + chunk);
}

static void *read_on(void *argument) {
  struct reader *reader = argument;
  pthread_barrier_wait(reader->start);
  int64_t start = now(), at = start;
  for (int chunk = 0; at - start < reader->duration; chunk = (chunk + 1) % reader->chunks) {
    if (!look_up(reader, chunk)) reader->wrong++;
    reader->lookups += reader->chunk;
    int64_t next = now();
    if (next - at > reader->longest) reader->longest = next - at;
    at = next;
  }
  reader->nanoseconds = at - start;
  return NULL;
}

/* Reads the readers' lines, runs them, tells what they did. @returns whether that went well. */
static bool run(const struct machine *machine, lookup_t lookup, int batch, int chunk, int ms,
                int count) {
  static struct reader readers[MOST_READERS];
  pthread_t threads[MOST_READERS];
  pthread_barrier_t start;
  char line[256];
  unsigned vcpu;
  if (count < 1 || count > MOST_READERS || batch < 1) return false;
  pthread_barrier_init(&start, NULL, count);
  for (int i = 0; i < count; i++) {
    struct reader *reader = &readers[i];
    *reader = (struct reader){.machine = *machine, .lookup = lookup, .start = &start,
                              .batch = batch, .chunk = chunk, .duration = ms * 1000000ll};
    if (!fgets(line, sizeof line, stdin) ||
        sscanf(line, "%u %u %u %d", &vcpu, &reader->keys, &reader->sums, &reader->chunks) != 4)
      return false;
    reader->machine.at.upcall += vcpu * LINE_WORDS;
    reader->machine.at.rcu_section += vcpu * LINE_WORDS;
  }
  for (int i = 1; i < count; i++)
    if (pthread_create(&threads[i], NULL, read_on, &readers[i]) != 0) return false;
  read_on(&readers[0]);
  for (int i = 1; i < count; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < count; i++) {
    const struct reader *did = &readers[i];
    printf("%lld %lld %lld %lld\n", (long long)did->lookups, (long long)did->nanoseconds,
           (long long)did->wrong + bugs, (long long)did->longest);
  }
  return true;
}

int main(void) {
  static struct machine machine;
  char line[256], name[64];
  unsigned long long number;
  int batch, chunk, ms, count;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "place %63s %llu", name, &number) == 2) {
      if (!set_place(&machine.at, name, (word_t)number)) printf("error: no place %s\n", name);
    } else if (sscanf(line, "memory %llu", &number) == 1) {
      puts(take_memory(&machine, number) ? "ready" : "error: no memory");
    } else if (sscanf(line, "run %63s %d %d %d %d", name, &batch, &chunk, &ms, &count) == 5) {
      lookup_t lookup = find_lookup(name);
      if (!lookup || !run(&machine, lookup, batch, chunk, ms, count))
        printf("error: %s cannot be run\n", name);
    } else {
      printf("error: %s", line);
    }
    fflush(stdout);
  }
  return 0;
}
