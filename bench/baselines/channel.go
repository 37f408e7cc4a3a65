// Go's channels: what channel.c does with Sabway's. "one", "select": goroutines, which the runtime
// puts on threads as it likes; "threads", "select-threads": each has a thread of its own.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"
	"time"
)

const (
	capacity = 64
	among    = 4
)

func send(channels []chan uint64, count uint64, locked bool, begin chan bool) {
	if locked {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	<-begin
	for i := uint64(0); i < count; i++ {
		channels[i%uint64(len(channels))] <- i
	}
}

func receiveOne(channels []chan uint64, count uint64) {
	for i := uint64(0); i < count; i++ {
		if <-channels[0] != i {
			log.Fatal("a value has come out of its turn")
		}
	}
}

func receiveAny(channels []chan uint64, count uint64) {
	var seen [among]uint64
	for i := uint64(0); i < count; i++ {
		var value uint64
		var index uint64
		select {
		case value = <-channels[0]:
			index = 0
		case value = <-channels[1]:
			index = 1
		case value = <-channels[2]:
			index = 2
		case value = <-channels[3]:
			index = 3
		}
		if value != index+seen[index]*among {
			log.Fatal("a value has come out of its turn")
		}
		seen[index]++
	}
}

func run(what string, count uint64) float64 {
	locked := strings.HasSuffix(what, "threads")
	channels := make([]chan uint64, 1)
	receive := receiveOne
	if strings.HasPrefix(what, "select") {
		channels = make([]chan uint64, among)
		receive = receiveAny
	}
	for i := range channels {
		channels[i] = make(chan uint64, capacity)
	}
	begin, done := make(chan bool), make(chan bool)
	go send(channels, count, locked, begin)
	go func() {
		if locked {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
		}
		<-begin
		receive(channels, count)
		done <- true
	}()
	start := time.Now()
	close(begin)
	<-done
	return time.Since(start).Seconds()
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var what string
		var count uint64
		if _, err := fmt.Sscan(lines.Text(), &what, &count); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%.9f\n", run(what, count))
	}
}
