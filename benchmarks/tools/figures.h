// What the load generator measures: latencies, and the processor time of other processes.
#ifndef BENCHMARKS_FIGURES_H
#define BENCHMARKS_FIGURES_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// Latencies in tenths of a microsecond; at most 32 million of them are kept.
typedef struct {
    uint32_t *values;
    size_t count, room;
} latencies;

static void keep_latency(latencies *all, uint64_t ns) {
    uint64_t tenths = ns / 100;
    if (all->count == all->room) {
        if (all->room >= (1u << 25))
            return;
        all->room = all->room ? all->room * 2 : 65536;
        all->values = realloc(all->values, all->room * sizeof *all->values);
    }
    all->values[all->count++] = tenths > UINT32_MAX ? UINT32_MAX : (uint32_t)tenths;
}

static int compare_latencies(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static void print_latencies(const char *name, latencies *all) {
    if (!all->count) {
        printf(",\"%s\":null", name);
        return;
    }
    qsort(all->values, all->count, sizeof *all->values, compare_latencies);
    printf(",\"%s\":{\"n\":%zu,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"max\":%.1f}", name,
           all->count, all->values[all->count / 2] / 10.0,
           all->values[(size_t)(all->count * .9)] / 10.0,
           all->values[(size_t)(all->count * .99)] / 10.0,
           all->values[all->count - 1] / 10.0);
}

#define MAX_PROCESSES 64
static const char *processes[MAX_PROCESSES];
static int process_count;

// Processor time of all threads of the watched processes, in seconds. schedstat counts
// nanoseconds; the ticks of /proc/PID/stat would be far too coarse for short runs.
static double processor_seconds(void) {
    double ns = 0;
    for (int i = 0; i < process_count; i++) {
        char tasks[64];
        snprintf(tasks, sizeof tasks, "/proc/%s/task", processes[i]);
        DIR *folder = opendir(tasks);
        if (!folder)
            continue;
        for (struct dirent *entry; (entry = readdir(folder));) {
            char path[400];
            unsigned long long spent = 0;
            if (entry->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s/schedstat", tasks, entry->d_name);
            FILE *file = fopen(path, "r");
            if (!file)
                continue;
            if (fscanf(file, "%llu", &spent) == 1)
                ns += spent;
            fclose(file);
        }
        closedir(folder);
    }
    return ns / 1e9;
}

#endif
