package dev.gatehouse.demo;

import static dev.gatehouse.demo.Items.atMost;
import static dev.gatehouse.demo.Items.contains;
import static dev.gatehouse.demo.Items.is;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.BindException;
import java.net.URI;
import java.util.List;

/**
 * The services behind the gateway of the demo, with some items in each. Besides what stands in the
 * table each has the paths of {@link SampleService}.
 *
 * <table>
 *   <caption>Paths, with the query parameters that choose items</caption>
 *   <tr><td>users</td><td>{@code /?name=&city=}, {@code /{id}}, {@code /profile} of the user in X-User-Id</td></tr>
 *   <tr><td>products</td><td>{@code /?name=&category=&maxPrice=}, {@code /{id}}</td></tr>
 *   <tr><td>inventory, with products</td><td>{@code /stock?product=&place=}, {@code /stock/{id}}</td></tr>
 *   <tr><td>orders</td><td>{@code /?user=&status=}, {@code /{id}}</td></tr>
 *   <tr><td>notifications</td><td>{@code /?user=}, {@code /{id}}; sent and read, but never changed</td></tr>
 * </table>
 */
public final class SampleServices implements AutoCloseable {
  /** How many ports in a row they take. */
  public static final int PORTS = 4;

  private final SampleService users = users();
  private final SampleService products = products();
  private final SampleService orders = orders();
  private final SampleService notifications = notifications();

  private SampleServices() throws IOException {}

  /** Starts all, on this port and those after it, or on any free ones for 0; all or none. */
  public static SampleServices start(int firstPort) throws IOException {
    SampleServices services = new SampleServices();
    int port = firstPort;
    try {
      for (SampleService service : services.all()) {
        service.start(port);
        port += firstPort == 0 ? 0 : 1;
      }
      return services;
    } catch (BindException e) {
      services.close();
      throw new PortInUseException(port, e);
    }
  }

  public URI usersUrl() {
    return users.uri();
  }

  public URI productsUrl() {
    return products.uri();
  }

  public URI ordersUrl() {
    return orders.uri();
  }

  public URI notificationsUrl() {
    return notifications.uri();
  }

  public URI inventoryUrl() {
    return products.uri();
  }

  @Override
  public void close() {
    all().forEach(SampleService::close);
  }

  private List<SampleService> all() {
    return List.of(users, products, orders, notifications);
  }

  private static SampleService users() throws IOException {
    Items users =
        Items.thatCanBeChanged()
            .withFilter("name", contains("name"))
            .withFilter("city", is("city"))
            .filledWith(
                """
                [
                  {"login": "demo", "name": "Dana Demo", "city": "Porto"},
                  {"login": "ada", "name": "Ada Lovelace", "city": "London"},
                  {"login": "grace", "name": "Grace Hopper", "city": "New York"},
                  {"login": "alan", "name": "Alan Turing", "city": "London"}
                ]
                """);
    return new SampleService("users")
        .serving("", users)
        .serving("/profile", request -> profile(users, request));
  }

  private static SampleService products() throws IOException {
    Items products =
        Items.thatCanBeChanged()
            .withFilter("name", contains("name"))
            .withFilter("category", is("category"))
            .withFilter("maxPrice", atMost("price"))
            .filledWith(
                """
                [
                  {"name": "Green tea", "category": "tea", "price": 4.50},
                  {"name": "Oolong", "category": "tea", "price": 12.00},
                  {"name": "Teapot", "category": "kitchen", "price": 24.90},
                  {"name": "Kettle", "category": "kitchen", "price": 39.00}
                ]
                """);
    Items stock =
        Items.thatCanBeChanged()
            .withFilter("product", is("product"))
            .withFilter("place", is("place"))
            .filledWith(
                """
                [
                  {"product": "1", "place": "north", "quantity": 120},
                  {"product": "2", "place": "north", "quantity": 7},
                  {"product": "2", "place": "south", "quantity": 30},
                  {"product": "3", "place": "south", "quantity": 0}
                ]
                """);
    return new SampleService("products").serving("", products).serving("/stock", stock);
  }

  private static SampleService orders() throws IOException {
    Items orders =
        Items.thatCanBeChanged()
            .withFilter("user", is("user"))
            .withFilter("status", is("status"))
            .filledWith(
                """
                [
                  {"user": "demo", "product": "2", "quantity": 2, "status": "open"},
                  {"user": "ada", "product": "3", "quantity": 1, "status": "sent"},
                  {"user": "demo", "product": "1", "quantity": 5, "status": "sent"}
                ]
                """);
    return new SampleService("orders").serving("", orders);
  }

  private static SampleService notifications() throws IOException {
    Items notifications =
        Items.thatCanBeAdded()
            .withFilter("user", is("user"))
            .filledWith(
                """
                [
                  {"user": "demo", "text": "Your order 3 is on its way."}
                ]
                """);
    return new SampleService("notifications").serving("", notifications);
  }

  /** The user whom the gateway names; one that is not in the list is known by that name alone. */
  private static Answer profile(Items users, Request request) {
    String login = request.header("X-User-Id");
    if (login == null) {
      return Answer.refusal(401, "no X-User-Id: does the request come through the gateway?");
    }
    ObjectNode unlisted =
        JsonNodeFactory.instance.objectNode().put("login", login).put("name", login);
    return Answer.ok(users.findBy("login", login).orElse(unlisted));
  }
}
