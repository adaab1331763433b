/* Moves hasten from CPU to CPU. */
#include "target/place.h"

#include "target/process.h"

void hst_place_init(struct hst_place *place)
{
    *place = (struct hst_place){.kept_off = -1};
    if (sched_getaffinity(0, sizeof place->allowed, &place->allowed) != 0)
        CPU_ZERO(&place->allowed); /* more CPUs than the set can name: stay where we are */
}

void hst_place_release(struct hst_place *place)
{
    if (place->kept_off >= 0)
        (void)sched_setaffinity(0, sizeof place->allowed, &place->allowed);
    place->kept_off = -1;
}

static void go_home(struct hst_place *place)
{
    cpu_set_t home = place->allowed;
    if (place->kept_off >= 0)
        CPU_CLR((size_t)place->kept_off, &home);
    (void)sched_setaffinity(0, sizeof home, &home);
}

void hst_place_keep_off(struct hst_place *place, int cpu)
{
    if (cpu == place->kept_off || cpu < 0 || cpu >= CPU_SETSIZE || CPU_COUNT(&place->allowed) < 2)
        return;
    place->kept_off = cpu;
    go_home(place);
}

enum hst_status hst_place_join(struct hst_place *place, int pid, int tid)
{
    int cpu;
    HST_TRY(hst_thread_cpu_read(pid, tid, &cpu));
    if (cpu < 0 || cpu >= CPU_SETSIZE || !CPU_ISSET((size_t)cpu, &place->allowed))
        return HST_E_PERM;
    struct sched_param ahead = {.sched_priority = 1};
    place->policy = sched_getscheduler(0);
    if (place->policy < 0 || sched_getparam(0, &place->priority) != 0)
        return HST_E_PERM;
    (void)sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &ahead); /* or wait for our turn there */
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0)
        return HST_OK;
    hst_place_leave(place);
    return HST_E_PERM;
}

void hst_place_leave(struct hst_place *place)
{
    go_home(place);
    (void)sched_setscheduler(0, place->policy, &place->priority);
}
