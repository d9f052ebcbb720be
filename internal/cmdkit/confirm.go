package cmdkit

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Confirm asks on a terminal whether to do what question says, and gives an
// error unless the answer is yes. Where nobody can be asked it is fault.Usage,
// which names the flag to give.
func (s *IO) Confirm(question string) error {
	question = Printable(question)
	if !s.InTTY || !s.ErrTTY {
		return fault.New(fault.Usage, "%s there is no terminal to ask on", question).WithHint("give --yes (-y) to answer yes")
	}
	fmt.Fprintf(s.Err, "%s [y/N] ", question)
	// One line, and nothing of what follows it, is read: there is no next question.
	answer, err := bufio.NewReader(s.In).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	if err != nil {
		fmt.Fprintln(s.Err)
	}
	return fault.New(fault.Aborted, "nothing was deleted")
}
