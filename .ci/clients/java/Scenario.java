import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.CustomersApi;
import org.openapitools.client.model.Customer;
import org.openapitools.client.model.NewAddress;
import org.openapitools.client.model.NewCustomer;
import org.openapitools.client.model.NewPhoneNumber;
import org.openapitools.client.model.NewPostCode;
import org.openapitools.client.model.Problem;

public final class Scenario {
  private static final ApiClient CLIENT = new ApiClient();
  private static final CustomersApi CUSTOMERS;

  static {
    CLIENT.updateBaseUri(System.getenv("ESCROW_URL"));
    CLIENT.setRequestInterceptor(
        request -> request.header("Authorization", "Bearer " + System.getenv("ESCROW_KEY")));
    CUSTOMERS = new CustomersApi(CLIENT); // takes a copy of what the client is told above
  }

  public static void main(String[] args) throws Exception {

    NewCustomer numbers = newCustomer(new NewPostCode(10203L), new NewPhoneNumber(8885118600L));
    createAndRead(numbers);
    createAndRead(newCustomer(new NewPostCode("10203"), new NewPhoneNumber("+18885118600")));

    // Only the e-mail address is required, and there is no address to read then.
    Customer least = CUSTOMERS.createCustomer(new NewCustomer().email(email()), null, null);
    equal(null, least.getAddress());
    equal(null, least.getPhone());

    try {
      CUSTOMERS.createCustomer(numbers, null, null);
      throw new AssertionError("the second customer with one e-mail address was created");
    } catch (ApiException refusal) {
      equal(403, refusal.getCode());
      Problem problem = CLIENT.getObjectMapper().readValue(refusal.getResponseBody(), Problem.class);
      equal("email_already_in_use", problem.getCode());
    }
  }

  private static String email() {
    return "java-" + UUID.randomUUID() + "@example.com";
  }

  private static NewCustomer newCustomer(NewPostCode postCode, NewPhoneNumber phoneNumber) {
    return new NewCustomer()
        .email(email())
        .firstName("Johny")
        .middleName("Kanez")
        .lastName("Smith")
        .address(
            new NewAddress()
                .line1("East Lane")
                .city("San Francisco")
                .state("CA")
                .country("US")
                .postCode(postCode))
        .phoneNumber(phoneNumber);
  }

  private static void createAndRead(NewCustomer body) throws ApiException {
    Customer created = CUSTOMERS.createCustomer(body, null, null);
    Customer read = CUSTOMERS.getCustomer(created.getId());
    for (Customer customer : List.of(created, read)) {
      equal(created.getId(), customer.getId());
      equal(body.getEmail(), customer.getEmail());
      equal("Johny", customer.getFirstName());
      equal("Kanez", customer.getMiddleName());
      equal("Smith", customer.getLastName());
      equal("+18885118600", customer.getPhone());
      equal(null, customer.getCompanyName());
      equal(null, customer.getToken());
      equal(null, customer.getDeletedAt());
      equal(1, customer.getStatus().getValue());
      equal(0, customer.getIsCompany().getValue());
      equal(true, customer.getCreatedAt() != null);
      equal("10203", customer.getAddress().getPostCode());
      equal(null, customer.getAddress().getLine2());
    }
  }

  private static void equal(Object want, Object got) {
    if (!Objects.equals(want, got)) {
      throw new AssertionError("want " + want + ", got " + got);
    }
  }
}
