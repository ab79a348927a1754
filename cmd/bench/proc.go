package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU time in /proc: USER_HZ is 100 on all platforms that Go
// runs on.
const tick = 10 * time.Millisecond

// machineTime is the CPU time of all CPUs since the machine started.
type machineTime struct{ busy, total time.Duration }

// parseMachineTime reads /proc/stat. Busy is user, nice, system and steal;
// interrupts are not in it, for the load itself causes most of them.
func parseMachineTime(stat string) (machineTime, error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return machineTime{}, fmt.Errorf("/proc/stat: cannot read %q", line)
	}
	var m machineTime
	for i, field := range fields[1:9] { // user nice system idle iowait irq softirq steal
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return machineTime{}, fmt.Errorf("/proc/stat: %w", err)
		}
		d := time.Duration(n) * tick
		m.total += d
		if i <= 2 || i == 7 {
			m.busy += d
		}
	}
	return m, nil
}

// othersShare is the part of the machine, from 0 to 1, that was busy with other
// things than our own between two moments.
func othersShare(before, after machineTime, own time.Duration) float64 {
	total := after.total - before.total
	if total <= 0 {
		return 0
	}
	return max(0, float64(after.busy-before.busy-own)/float64(total))
}

func machineNow() (machineTime, error) {
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return machineTime{}, fmt.Errorf("%w; bench needs Linux", err)
	}
	return parseMachineTime(string(content))
}

// parseCPU reads user and system time of a process from /proc/PID/stat. The
// second field, the name, may have spaces and parentheses in it.
func parseCPU(stat string) (time.Duration, error) {
	_, rest, _ := cutLast(stat, ")")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("stat of a process: cannot read %q", stat)
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	system, e := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, errors.Join(err, e)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func cpuOf(pid string) (time.Duration, error) {
	content, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, fmt.Errorf("%w: has it ended?", err)
	}
	return parseCPU(string(content))
}

// memoryOf gives the resident memory of a process, in bytes.
func memoryOf(pid string) (int64, error) {
	content, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, fmt.Errorf("%w: has it ended?", err)
	}
	for line := range strings.Lines(string(content)) {
		if kib, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kib), "kB")), 10, 64)
			return n << 10, err
		}
	}
	return 0, errors.New("no VmRSS in the status of process " + pid)
}
