// Package suite runs a family's cases and prints the lines that the runner reads:
// "plan N", then "ok SENTENCE" or "FAIL SENTENCE" with indented lines of the reason.
package suite

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// caseDeadline bounds every wait of a case; there are no other timeouts.
const caseDeadline = 120 * time.Second

// Case is one sentence about Kafka and the program that proves it.
type Case struct {
	Name string
	Run  func(ctx context.Context) error
}

// Main lists or runs the cases and ends the process.
func Main(cases []Case) {
	match := os.Getenv("MATCH")
	var chosen []Case
	for _, c := range cases {
		if strings.Contains(c.Name, match) {
			chosen = append(chosen, c)
		}
	}
	if len(os.Args) > 1 && os.Args[1] == "--list" {
		for _, c := range chosen {
			fmt.Println(c.Name)
		}
		return
	}
	fmt.Printf("plan %d\n", len(chosen))
	code := 0
	for _, c := range chosen {
		if err := run(c); err != nil {
			code = 1
			reason := strings.ReplaceAll(err.Error(), "\n", "\n    ")
			fmt.Printf("FAIL %s\n    %s\n", c.Name, reason)
			continue
		}
		fmt.Printf("ok %s\n", c.Name)
	}
	os.Exit(code)
}

// run gives a case up when it neither ends nor heeds its context.
func run(c Case) error {
	ctx, cancel := context.WithTimeout(context.Background(), caseDeadline)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("panic: %v", p)
			}
		}()
		done <- c.Run(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(caseDeadline + 5*time.Second):
		return errors.New("no end within the deadline")
	}
}

// Equal returns an error that says what differs, or nil.
func Equal(what string, actual, expected any) error {
	if reflect.DeepEqual(actual, expected) {
		return nil
	}
	return fmt.Errorf("%s: expected %v, got %v", what, expected, actual)
}

// Eventually asks until the answer is right: a broker hears of a change a moment after the controller made it.
func Eventually(ctx context.Context, what string, ask func() error) error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := ask()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}

// Unique returns a name that no other run or case uses.
func Unique(prefix string) string {
	return prefix + "-" + strings.ToLower(rand.Text()[:12])
}

// Bootstrap returns the addresses of the cluster under test.
func Bootstrap() []string {
	return strings.Split(os.Getenv("BOOTSTRAP"), ",")
}

// Replication returns the replication factor for the topics of the cases.
func Replication() int16 {
	n, err := strconv.Atoi(os.Getenv("REPLICATION"))
	if err != nil {
		return 1
	}
	return int16(n)
}

// Lines returns the text that goes through the broker.
func Lines() ([][]byte, error) {
	text, err := os.ReadFile(os.Getenv("LINES_FILE"))
	if err != nil {
		return nil, err
	}
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")), nil
}
