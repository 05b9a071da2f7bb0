package sqlstore_test

import (
	"testing"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/storetest"
)

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T) pec.Store { return onServer(t)() })
	storetest.RunDurable(t, onServer)
	storetest.RunShared(t, onServer)
}
